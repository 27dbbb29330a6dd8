"""Target models of timm: `timm:NAME`, `timm:NAME@CHECKPOINT`, or `timm:FOLDER` as `save_for_hf` writes it.

The picture is prepared as the model's own data configuration says. A model without a head has no classes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import timm
from jaxtyping import Float32
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.imagenet_info import ImageNetInfo
from timm.data.transforms_factory import create_transform
from torch import nn

from csp.errors import BadInputError, UnavailableError
from csp.files import expanded, read_regular, require_folder
from csp.world.protocols.pooling import Pooling
from csp.world.specs.hub import hub_reason
from csp.world.specs.registry import is_path, nearest, reason
from csp.world.torch_models.checkpoints import Checkpoint, read_checkpoint
from csp.world.torch_models.classes import class_names, stated_classes
from csp.world.torch_models.fit import Fitted, fit, fit_backbone, is_backbone
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.model_names import file_name, model_name
from csp.world.torch_models.target import Preprocess, TorchTarget

_WEIGHTS = ("*.safetensors.index.json", "*.safetensors", "*.bin.index.json", "*.bin", "*.pth", "*.pt")
_IMAGENET = 1000


@dataclass(frozen=True)
class Source:
    """What is opened: an architecture, the file of its weights if it has one, and what is said of both."""

    architecture: str
    title: str
    checkpoint: Checkpoint | None = None
    part: str = ""
    data_config: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    headless: bool = False


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open a model of timm by name, with published weights or those of a checkpoint, or from a folder.

    Raises `BadInputError` for an unknown name or weights that don't fit, `NotFoundError` for a missing file,
    `UnavailableError` where published weights can't be downloaded.
    """
    source = _source(name)
    if source.checkpoint is None:
        module, logits = _published(source)
        notes: tuple[str, ...] = ()
    else:
        fitted = _fitted(source, source.checkpoint)
        module, logits, notes = fitted.module, fitted.logits, fitted.notes
    transform, size = _input(module, source)
    known = source.data_config
    missing = [name for name in ("input_size", "mean", "std") if known and name not in known]
    if missing:
        notes = (
            *notes,
            f"{source.title} does not say its {', '.join(missing)}: those usual in timm were taken.",
        )
    classes, more = _classes(source, module, logits)
    module = module.to(device())
    return TorchTarget(
        spec=f"timm:{name}",
        name=source.title,
        classes=classes,
        weights_hash=weights_hash(module),
        input_size=size,
        module=module,
        transform=transform,
        pooling=pooling,
        notes=(*notes, *more),
    )


def _source(name: str) -> Source:
    architecture, at, path = name.partition("@")
    if is_path(architecture):
        return _folder(name)
    architecture, _, part = architecture.partition("#")
    if not timm.is_model(architecture):
        known = timm.list_models()
        raise BadInputError(f"timm has no model '{architecture}'{nearest(architecture, known)}.")
    if at and not path:
        raise BadInputError(f"The target model 'timm:{name}' names no checkpoint after '@'.")
    if not at:
        return Source(architecture, architecture)
    checkpoint = read_checkpoint(path)
    return Source(
        architecture,
        f"{architecture} ({file_name(path)})",
        checkpoint,
        part,
        data_config=_stated_input(architecture, checkpoint),
        classes=_stated(checkpoint),
    )


def _folder(name: str) -> Source:
    """A folder of config.json and weights. Raises `NotFoundError`, `BadInputError` with the remedy."""
    folder = expanded(name)
    require_folder(folder, f"The model folder '{name}'")
    config = _config(name, folder)
    architecture = str(config.get("architecture"))
    if not timm.is_model(architecture):
        raise BadInputError(
            f"The config.json of '{name}' names no model of timm as its architecture "
            f"('{architecture}'{nearest(architecture, timm.list_models())}); a model of transformers is "
            f"opened as hf:{name}."
        )
    file = next((path for pattern in _WEIGHTS for path in sorted(folder.glob(pattern))), None)
    if file is None:
        raise BadInputError(f"The model folder '{name}' has no weights such as model.safetensors.")
    named = config.get("label_names") or []
    arguments = config.get("model_args") or {}
    data = config.get("pretrained_cfg") or {}
    if not all(isinstance(part, kind) for part, kind in ((named, list), (arguments, dict), (data, dict))):
        raise BadInputError(
            f"The config.json of '{name}' is not as timm writes it: "
            "label_names is a list, model_args and pretrained_cfg are mappings."
        )
    return Source(
        architecture,
        model_name(name),
        read_checkpoint(str(file)),
        data_config=data,
        arguments={key: value for key, value in arguments.items() if key != "num_classes"},
        classes=[str(label) for label in named],
        headless=config.get("num_classes", data.get("num_classes")) == 0,
    )


def _config(name: str, folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not file.is_file():
        raise BadInputError(
            f"The folder '{name}' is no model of timm: it has no config.json; name the folder that timm's "
            "save_for_hf wrote, or a file of weights as timm:NAME@FILE."
        )
    try:
        config = json.loads(read_regular(file))
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The config.json of '{name}' is not JSON ({reason(error)}).") from error
    if not isinstance(config, dict):
        raise BadInputError(f"The config.json of '{name}' is not as timm writes it: it is no mapping.")
    return config


def _builder(source: Source) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        try:
            made: nn.Module = timm.create_model(
                source.architecture, pretrained=False, num_classes=classes, **source.arguments
            )
        except (TypeError, ValueError, RuntimeError, AssertionError) as error:
            raise BadInputError(
                f"timm can't make a {source.architecture} as config.json asks ({reason(error)}): "
                "correct its model_args."
            ) from error
        return made

    return build


def _fitted(source: Source, checkpoint: Checkpoint) -> Fitted:
    build, architecture = _builder(source), f"timm's {source.architecture}"
    if source.headless:
        return fit_backbone(checkpoint, build, architecture, source.part)
    try:
        return fit(checkpoint, build, architecture, source.part)
    except BadInputError:
        if is_backbone(checkpoint, build, source.part):
            return fit_backbone(checkpoint, build, architecture, source.part)
        raise


def _published(source: Source) -> tuple[nn.Module, int]:
    try:
        module: nn.Module = timm.create_model(source.architecture, pretrained=True)
    except Exception as error:  # the hub's client raises errors of many kinds
        raise UnavailableError(
            f"The published weights of {source.architecture} can't be downloaded ({hub_reason(error)}): "
            f"connect to the internet, or give a file as timm:{source.architecture}@FILE."
        ) from error
    return module.eval(), int(getattr(module, "num_classes", 0))


def _input(module: nn.Module, source: Source) -> tuple[Preprocess, tuple[int, int]]:
    """How a picture becomes the input, and its height and width, as timm's evaluation does it."""
    try:
        config: dict[str, Any] = resolve_data_config(  # type: ignore[no-untyped-call]
            pretrained_cfg=dict(source.data_config) or None, model=module
        )
        transform = create_transform(**config, is_training=False)
        size = tuple(int(side) for side in config["input_size"])
        shape = tuple(transform(Image.new("RGB", (50, 40))).shape)
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as error:
        raise BadInputError(
            f"The input of {source.title} can't be prepared as its configuration says ({reason(error)}): "
            "correct what config.json or the weights say (input_size, interpolation, mean, std, crop_pct)."
        ) from error
    if size[0] != 3 or shape != size:
        raise BadInputError(
            f"{source.title} takes an input of {' x '.join(map(str, size))}; only pictures of three "
            "colours and one size can be shown to it."
        )

    def prepared(image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        return np.asarray(transform(image), np.float32)

    return prepared, (size[1], size[2])


def _stated_input(architecture: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """timm's configuration, with what the metadata of a safetensors file say of the input."""
    size = checkpoint.value("input_size")
    said = {
        "input_size": [3, size, size]
        if isinstance(size, int)
        else [3, *size]
        if isinstance(size, list)
        else size,
        "mean": checkpoint.value("mean"),
        "std": checkpoint.value("std"),
    }
    said = {key: value for key, value in said.items() if value is not None}
    published = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    return {**vars(published), **said} if said and published else said


def _stated(checkpoint: Checkpoint) -> list[str]:
    named = checkpoint.value("classes")
    return [str(label) for label in named] if isinstance(named, list) else stated_classes(checkpoint.facts)


def _classes(source: Source, module: nn.Module, logits: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names as the files say them, else ImageNet's for a head of its classes, else numbers."""
    if not logits:
        return (), ()
    named = list(source.classes) or _published_names(source, module, logits)
    return class_names(named, logits, f"The configuration of {source.title}")


def _published_names(source: Source, module: nn.Module, logits: int) -> list[str]:
    """The descriptions of the published classes, where the head has as many and the file is no other's."""
    config = getattr(module, "pretrained_cfg", {})
    if logits != _IMAGENET or config.get("num_classes") != _IMAGENET:
        return []
    info = ImageNetInfo("imagenet-1k")
    return [info.index_to_description(place) for place in range(logits)]
