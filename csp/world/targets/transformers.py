"""Target models of transformers: `hf:ID-or-folder`, any model for image classification, timm's included."""

import torch
from transformers import AutoConfig, AutoModelForImageClassification

from csp.world.protocols.target import Pooling
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.hugging_face import TIMM, image_transform, load, load_image_processor, load_noted
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.library_warnings import heard
from csp.world.torch_models.model_names import model_name
from csp.world.torch_models.target import TorchTarget


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open an image classifier with its own preprocessing and class names.

    Raises `BadInputError` for a folder without image classifier, `UnavailableError` where the hub has none.
    """
    with heard() as said:
        config = load(name, AutoConfig.from_pretrained)
        if config.model_type == TIMM and config.model_args:  # timm writes the number of classes twice
            config.model_args = {
                key: value for key, value in config.model_args.items() if key != "num_classes"
            }
        module, besides = load_noted(
            name, AutoModelForImageClassification.from_pretrained, config=config, dtype=torch.float32
        )
        transform, size = image_transform(name, load_image_processor(name))
    names = [str(config.id2label[index]) for index in sorted(config.id2label)]
    classes, notes = class_names(names, len(names), "The config.json of the target model")
    return TorchTarget(
        spec=f"hf:{name}",
        name=model_name(name),
        classes=classes,
        weights_hash=weights_hash(module),
        input_size=size,
        module=module.to(device()),
        transform=transform,
        pooling=pooling,
        multi_label=config.problem_type == "multi_label_classification",
        notes=(*besides, *notes, *(f"transformers says of the target model: {text}" for text in said)),
    )
