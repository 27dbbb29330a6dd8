"""Target models of transformers: `hf:ID-or-folder`, timm's included.

Any model for image classification; of a model without such a head (ViT, DINOv2, ConvNeXt ...) the model
itself, of a dual encoder (CLIP, SigLIP) its image tower. These have no classes.
"""

from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

from csp.errors import BadInputError
from csp.world.protocols.pooling import Pooling
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.hugging_face import TIMM, image_transform, load, load_image_processor, load_noted
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.library_warnings import heard
from csp.world.torch_models.model_names import model_name
from csp.world.torch_models.target import TorchTarget


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open a model of pictures with its own preprocessing and class names.

    Raises `BadInputError` for a folder without such a model, `UnavailableError` where the hub has none.
    """
    with heard() as said:
        config = load(name, AutoConfig.from_pretrained)
        module, besides = _backbone(name) if _lacks_head(config) else _classifier(name, config)
        transform, size = image_transform(name, load_image_processor(name))
    classes, notes = _classes(config)
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


def _classes(config: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if _lacks_head(config):
        return (), ()
    names = [str(config.id2label[index]) for index in sorted(config.id2label)]
    return class_names(names, len(names), "The config.json of the target model")


def _lacks_head(config: Any) -> bool:
    """Whether the folder was saved from a model that does not classify pictures."""
    saved = config.architectures or []
    return bool(saved) and not any(name.endswith("ForImageClassification") for name in saved)


def _classifier(name: str, config: Any) -> tuple[nn.Module, tuple[str, ...]]:
    if config.model_type == TIMM and config.model_args:  # timm writes the number of classes twice
        config.model_args = {key: value for key, value in config.model_args.items() if key != "num_classes"}
    return load_noted(
        name, AutoModelForImageClassification.from_pretrained, config=config, dtype=torch.float32
    )


def _backbone(name: str) -> tuple[nn.Module, tuple[str, ...]]:
    """The model without a head; of one that also reads texts the part that reads pictures."""
    model, notes = load_noted(name, AutoModel.from_pretrained, dtype=torch.float32)
    tower = getattr(model, "vision_model", model)
    if tower.main_input_name != "pixel_values":
        raise BadInputError(
            f"'{name}' is a '{model.config.model_type}' model, which takes {tower.main_input_name} and no "
            "pictures: name a model of pictures."
        )
    return tower, notes
