"""Target models of torchvision: `torchvision:NAME`, or `torchvision:NAME@CHECKPOINT` with other weights.

Of a checkpoint with several sets of weights, `torchvision:NAME#SET@CHECKPOINT` takes the one under SET.
"""

import math
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
from csp.world.protocols.pooling import Pooling
from csp.world.specs.registry import nearest
from csp.world.torch_models.checkpoints import Checkpoint, read_checkpoint
from csp.world.torch_models.classes import class_names, stated_classes
from csp.world.torch_models.fit import fit
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.model_names import file_name
from csp.world.torch_models.target import TorchTarget

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
    named, at, path = name.partition("@")
    architecture, _, part = named.partition("#")
    known = torchvision.models.list_models(module=torchvision.models)
    if architecture not in known:
        raise BadInputError(f"torchvision has no classifier '{architecture}'{nearest(architecture, known)}.")
    if at and not path:
        raise BadInputError(f"The target model 'torchvision:{name}' names no checkpoint after '@'.")
    published = torchvision.models.get_model_weights(architecture).DEFAULT
    checkpoint = read_checkpoint(path) if path else _download(architecture, published)
    inputs = _input(checkpoint, published)

    def build(classes: int) -> nn.Module:
        arguments = dict(_ARGUMENTS.get(architecture, {}))
        if architecture.startswith("vit_"):
            arguments["image_size"] = inputs.size[0]
        module: nn.Module = torchvision.models.get_model(
            architecture, weights=None, num_classes=classes, **arguments
        )
        return module

    fitted = fit(checkpoint, build, f"torchvision's {architecture}", part)
    classes, notes = _classes(checkpoint, published, fitted.logits)
    module = fitted.module.to(device())
    return TorchTarget(
        spec=f"torchvision:{name}",
        name=f"{architecture} ({file_name(path)})" if path else architecture,
        classes=classes,
        weights_hash=weights_hash(module),
        input_size=inputs.size,
        module=module,
        transform=inputs.transform,
        pooling=pooling,
        notes=(*fitted.notes, *notes),
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
    return Checkpoint(f"{architecture} {published.name}", {(): kept})


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


def _classes(checkpoint: Checkpoint, published: Any, logits: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The class names, and notes on them: those that the file states, else the published or numbered ones."""
    stated = checkpoint.value("classes")
    if stated is not None:
        if not isinstance(stated, list) or len(stated) not in (logits, max(logits, 2)):
            raise BadInputError(
                f"The metadata 'classes' of checkpoint '{checkpoint.path}' is not a list of "
                f"{max(logits, 2)} names."
            )
        return class_names([str(each) for each in stated], logits, "The checkpoint")
    categories = published.meta["categories"]
    other = categories if logits == len(categories) else []
    return class_names(stated_classes(checkpoint.facts) or other, logits, "The checkpoint")
