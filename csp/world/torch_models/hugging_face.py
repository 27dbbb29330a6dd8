"""Opens parts of a Hugging Face model, from a folder or the hub, with one clear sentence when that fails."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.specs.registry import reason
from csp.world.torch_models.target import Preprocess

# progress bars and advice for programmers would mix with what the person asked for
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def load(name: str, from_pretrained: Callable[..., Any], **options: Any) -> Any:
    """Call a `from_pretrained`; no code that comes with a model is run.

    Raises `NotFoundError` or `BadInputError` for a folder, `UnavailableError` where the hub has none.
    """
    folder = Path(name).expanduser()
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise BadInputError(f"The folder '{name}' is no transformers model: it has no config.json.")
    if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise NotFoundError(f"The model folder '{name}' does not exist.")
    source = str(folder) if folder.is_dir() else name
    try:
        return from_pretrained(source, trust_remote_code=False, **options)
    except (OSError, ValueError, RuntimeError, LookupError, SafetensorError, ImportError) as error:
        raise _explain(name, folder.is_dir(), error) from error


def load_model(name: str, from_pretrained: Callable[..., Any], **options: Any) -> Any:
    """Load a model whole: one that lacks weights, which would be random, raises `BadInputError`."""
    model, report = load(name, from_pretrained, output_loading_info=True, **options)
    missing = sorted(report["missing_keys"])
    if missing:
        raise BadInputError(
            f"The weights of '{name}' are not those of a {type(model).__name__}: "
            f"'{missing[0]}' and {len(missing) - 1} more are missing."
        )
    return model.eval()


def image_transform(name: str, processor: Any) -> tuple[Preprocess, tuple[int, int]]:
    """Make an image processor a function from image to array, and say the height and width that it gives.

    Raises `BadInputError` for a processor whose output depends on the image's shape.
    """

    def transform(image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        # the layout is said, because an image 3 pixels high could be taken for one with channels first
        pixels = processor(images=image, return_tensors="np", input_data_format="channels_last")
        return np.asarray(pixels["pixel_values"][0], np.float32)

    shapes = {transform(Image.new("RGB", size)).shape for size in ((64, 64), (96, 64), (64, 96))}
    shape = shapes.pop()
    if shapes or len(shape) != 3 or shape[0] != 3:
        raise BadInputError(f"The image processor of '{name}' does not give every image one size.")
    return transform, (shape[1], shape[2])


def short_name(name: str) -> str:
    """Name a model for people: the last part of its folder or ID."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def _explain(name: str, local: bool, error: Exception) -> CspError:
    if local:
        return BadInputError(f"The model folder '{name}' can't be opened ({reason(error)}).")
    return UnavailableError(
        f"'{name}' is neither a folder here nor a model that the hub gave ({reason(error)})."
    )
