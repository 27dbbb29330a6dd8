"""Target models of torchvision: `torchvision:NAME`, or `torchvision:NAME@CHECKPOINT` with other weights."""

import math
from dataclasses import dataclass
from typing import Any

import torchvision
from torch import nn
from torchvision.transforms._presets import ImageClassification

from csp.errors import BadInputError, UnavailableError
from csp.world.checkpoints import Checkpoint, load_state, read_checkpoint
from csp.world.models import Pooling
from csp.world.specs import nearest
from csp.world.torch_layers import device, weights_hash
from csp.world.torch_target import Preprocess, TorchTarget, class_names

PUBLISHED_CLASSES = 1000
# As torchvision builds these two for its published weights: the input rescaled, the training heads left out.
_INCEPTION = {"transform_input": True, "aux_logits": False, "init_weights": False}
_ARGUMENTS: dict[str, dict[str, Any]] = {"googlenet": _INCEPTION, "inception_v3": _INCEPTION}


@dataclass(frozen=True)
class Input:
    """How an image becomes the model's input: scaled to `resize` on its short side, cut, normalised."""

    size: tuple[int, int]
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Any = torchvision.transforms.InterpolationMode.BILINEAR

    def transform(self) -> Preprocess:
        """Build the function from image to array."""
        preset = ImageClassification(
            crop_size=list(self.size),
            resize_size=self.resize,
            mean=self.mean,
            std=self.std,
            interpolation=self.interpolation,
        )
        return lambda image: preset(image).numpy()


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open a classifier by name, with published weights or those of a checkpoint.

    Raises `BadInputError` for an unknown name or a checkpoint of another architecture, `NotFoundError` for a
    missing file, `UnavailableError` where published weights can't be downloaded.
    """
    architecture, at, path = name.partition("@")
    known = torchvision.models.list_models(module=torchvision.models)
    if architecture not in known:
        raise BadInputError(f"torchvision has no classifier '{architecture}'{nearest(architecture, known)}.")
    if at and not path:
        raise BadInputError(f"The target model 'torchvision:{name}' names no checkpoint after '@'.")
    published = torchvision.models.get_model_weights(architecture).DEFAULT
    checkpoint = read_checkpoint(path) if path else _download(architecture, published)
    inputs = _input(checkpoint, published)
    module = _build(architecture, checkpoint, inputs).eval().to(device())
    return TorchTarget(
        spec=f"torchvision:{name}",
        name=architecture,
        classes=_classes(checkpoint, published, _head(module)[1]),
        weights_hash=weights_hash(module),
        input_size=inputs.size,
        module=module,
        transform=inputs.transform(),
        pooling=pooling,
    )


def _download(architecture: str, published: Any) -> Checkpoint:
    try:
        state = published.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise UnavailableError(
            f"The published weights of {architecture} can't be downloaded ({error}): "
            f"connect to the internet, or give a file as torchvision:{architecture}@FILE."
        ) from error
    kept = {key: value for key, value in state.items() if not key.lower().startswith("aux")}
    return Checkpoint(f"{architecture} {published.name}", kept, {})


def _build(architecture: str, checkpoint: Checkpoint, inputs: Input) -> nn.Module:
    arguments = dict(_ARGUMENTS.get(architecture, {}))
    if architecture.startswith("vit_"):
        arguments["image_size"] = inputs.size[0]
    head, _ = _head(torchvision.models.get_model(architecture, weights=None, **arguments))
    weight = checkpoint.state.get(f"{head}.weight")
    classes = PUBLISHED_CLASSES if weight is None else len(weight)
    module: nn.Module = torchvision.models.get_model(
        architecture, weights=None, num_classes=classes, **arguments
    )
    load_state(module, checkpoint, f"torchvision's {architecture}")
    return module


def _head(module: nn.Module) -> tuple[str, int]:
    """Name the layer that gives the logits, and count them: the last linear or convolutional one."""
    parts = [(name, part) for name, part in module.named_modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    name, part = parts[-1]
    return name, part.weight.shape[0]


def _input(checkpoint: Checkpoint, published: Any) -> Input:
    """Take size, mean and std from the checkpoint's metadata, what it leaves out from torchvision."""
    preset = published.transforms()
    size, mean, std = (checkpoint.value(key) for key in ("input_size", "mean", "std"))
    if size is None:
        crop, resize = preset.crop_size[0], preset.resize_size[0]
        square = (crop, crop)
    else:
        square = _pair(size, checkpoint.path)
        resize = min(square)
    return Input(
        size=square,
        resize=resize,
        mean=_three(mean, preset.mean, checkpoint.path),
        std=_three(std, preset.std, checkpoint.path),
        interpolation=preset.interpolation,
    )


def _pair(size: Any, path: str) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list) else ()
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise BadInputError(f"The metadata 'input_size' of checkpoint '{path}' is no size such as 224.")
    return pair


def _three(values: Any, default: list[float], path: str) -> tuple[float, ...]:
    numbers = default if values is None else values
    if (
        not isinstance(numbers, list | tuple)
        or len(numbers) != 3
        or not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers)
    ):
        raise BadInputError(f"The metadata 'mean' or 'std' of checkpoint '{path}' is not three numbers.")
    return tuple(float(value) for value in numbers)


def _classes(checkpoint: Checkpoint, published: Any, logits: int) -> tuple[str, ...]:
    names = checkpoint.value("classes")
    columns = max(logits, 2)
    if names is not None:
        if not isinstance(names, list) or len(class_names(names, logits)) != columns:
            raise BadInputError(
                f"The metadata 'classes' of checkpoint '{checkpoint.path}' is not a list of {columns} names."
            )
        return class_names([str(each) for each in names], logits)
    categories = published.meta["categories"]
    return tuple(categories) if logits == len(categories) else tuple(f"class {i}" for i in range(columns))
