"""Target models of transformers: `hf:ID-or-folder`, any model for image classification."""

import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

from csp.world.protocols.target import Pooling
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.hugging_face import image_transform, load, load_model, short_name
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.target import TorchTarget


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open an image classifier with its own preprocessing and class names.

    Raises `BadInputError` for a folder without image classifier, `UnavailableError` where the hub has none.
    """
    config = load(name, AutoConfig.from_pretrained)
    module = load_model(name, AutoModelForImageClassification.from_pretrained, dtype=torch.float32)
    transform, size = image_transform(name, load(name, AutoImageProcessor.from_pretrained, backend="pil"))
    names = [str(config.id2label[index]) for index in sorted(config.id2label)]
    classes, notes = class_names(names, len(names), "Its config.json")
    return TorchTarget(
        spec=f"hf:{name}",
        name=short_name(name),
        classes=classes,
        weights_hash=weights_hash(module),
        input_size=size,
        module=module.to(device()),
        transform=transform,
        pooling=pooling,
        multi_label=config.problem_type == "multi_label_classification",
        notes=notes,
    )
