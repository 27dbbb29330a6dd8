"""Target models of torchvision: `torchvision:NAME`, or `torchvision:NAME@CHECKPOINT` with other weights."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torchvision
from jaxtyping import Float32
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import functional

from csp.errors import BadInputError, UnavailableError
from csp.world.protocols.target import Pooling
from csp.world.specs.registry import nearest
from csp.world.torch_models.checkpoints import Checkpoint, load_state, read_checkpoint
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.target import TorchTarget, class_names

PUBLISHED_CLASSES = 1000
# As torchvision builds these two for its published weights: the input rescaled, the training heads left out.
_INCEPTION = {"transform_input": True, "aux_logits": False, "init_weights": False}
_ARGUMENTS: dict[str, dict[str, Any]] = {"googlenet": _INCEPTION, "inception_v3": _INCEPTION}


# The classifying layers of all of torchvision's classifiers, numbered where there are several.
_HEAD = re.compile(r"(fc|head|heads\.head|classifier)(\.(?P<index>\d+))?\.weight")


@dataclass(frozen=True)
class Input:
    """How an image becomes the model's input: scaled to `resize` on its short side, cut, normalised."""

    size: tuple[int, int]
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Any = torchvision.transforms.InterpolationMode.BILINEAR

    def transform(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into an array, as torchvision's presets for classification do."""
        scaled = functional.resize(image, [self.resize], self.interpolation, antialias=True)
        cut = functional.center_crop(scaled, list(self.size))
        pixels = functional.convert_image_dtype(functional.pil_to_tensor(cut), torch.float)
        normalised: Tensor = functional.normalize(pixels, self.mean, self.std)
        return normalised.numpy()


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
    inputs, logits = _input(checkpoint, published), _logits(checkpoint.state)
    module = _build(architecture, checkpoint, inputs.size, logits).eval().to(device())
    return TorchTarget(
        spec=f"torchvision:{name}",
        name=architecture,
        classes=_classes(checkpoint, published, logits),
        weights_hash=weights_hash(module),
        input_size=inputs.size,
        module=module,
        transform=inputs.transform,
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


def _build(architecture: str, checkpoint: Checkpoint, size: tuple[int, int], logits: int) -> nn.Module:
    arguments = dict(_ARGUMENTS.get(architecture, {}))
    if architecture.startswith("vit_"):
        arguments["image_size"] = size[0]
    module: nn.Module = torchvision.models.get_model(
        architecture, weights=None, num_classes=logits, **arguments
    )
    load_state(module, checkpoint, f"torchvision's {architecture}")
    return module


def _logits(state: Mapping[str, Tensor]) -> int:
    """Count the logits of the head, which is the last of the classifying layers."""
    heads = {match: weight for key, weight in state.items() if (match := _HEAD.fullmatch(key))}
    if not heads:
        return PUBLISHED_CLASSES
    last = max(heads, key=lambda match: int(match["index"] or 0))
    return len(heads[last])


def _input(checkpoint: Checkpoint, published: Any) -> Input:
    """Take size, mean and std from the checkpoint's metadata, what it leaves out from torchvision."""
    preset = published.transforms()
    size, mean, std = (checkpoint.value(key) for key in ("input_size", "mean", "std"))
    if size is None:
        crop, resize = preset.crop_size[0], preset.resize_size[0]
        square = (crop, crop)
    else:
        square = _pair(size, checkpoint.path)
        resize = max(square)
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
