"""Opens parts of a Hugging Face model, from a folder or the hub, with one clear sentence when that fails."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer
from transformers.utils import logging as transformers_logging

from csp.errors import BadInputError, CspError, UnavailableError
from csp.files import expanded, require_folder
from csp.world.specs.hub import hub_reason
from csp.world.specs.registry import reason
from csp.world.torch_models.checkpoints import plain_values, runs_code
from csp.world.torch_models.finite import refuse_not_finite
from csp.world.torch_models.state_dicts import listed
from csp.world.torch_models.target import Preprocess

# progress bars and advice for programmers would mix with what the person asked for
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


TIMM = "timm_wrapper"
"""How transformers calls the models of timm, whose input is described in config.json itself."""
PROCESSOR = ("preprocessor_config.json", "processor_config.json")
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)
WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.bin.index.json")


def load(name: str, from_pretrained: Callable[..., Any], **options: Any) -> Any:
    """Call a `from_pretrained`; no code that comes with a model is run.

    Raises `NotFoundError` or `BadInputError` for a folder, `UnavailableError` where the hub has none.
    """
    folder = expanded(name)
    if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        require_folder(folder, f"The model folder '{name}'")
    if folder.is_dir():
        _check_config(name, folder)
    try:
        with plain_values():
            return from_pretrained(
                str(folder) if folder.is_dir() else name, trust_remote_code=False, **options
            )
    except Exception as error:
        raise _explain(name, folder, error) from error


def load_model(name: str, from_pretrained: Callable[..., Any], **options: Any) -> Any:
    """Load a model whole: one that lacks weights, which would be random, raises `BadInputError`."""
    return load_noted(name, from_pretrained, **options)[0]


def load_noted(name: str, from_pretrained: Callable[..., Any], **options: Any) -> tuple[Any, tuple[str, ...]]:
    """Load a model whole, with notes on what lies in its files besides.

    Raises `BadInputError` for weights that are missing, of another shape, or no numbers.
    """
    _check_files(name, WEIGHTS, "weights (model.safetensors)", "save_pretrained of the model writes them")
    model, report = load(
        name, from_pretrained, output_loading_info=True, ignore_mismatched_sizes=True, **options
    )
    kind = type(model).__name__
    if missing := sorted(report["missing_keys"]):
        raise BadInputError(
            f"The weights of '{name}' are not those of a {kind}: {listed(missing)} are missing."
        )
    if mismatched := sorted(report["mismatched_keys"]):
        key, found, expected = mismatched[0]
        raise BadInputError(
            f"The weights of '{name}' do not fit its config.json: '{key}' is {tuple(found)} instead of "
            f"{tuple(expected)}; a head of other classes needs their names as id2label in config.json."
        )
    refuse_not_finite(model, f"The model '{name}'")
    besides = sorted(report["unexpected_keys"])
    notes = [f"The weights of '{name}' hold {listed(besides)} besides: left out."] if besides else []
    return model.eval(), tuple(notes)


def load_image_processor(name: str) -> Any:
    """Load what turns an image into the input. Raises `BadInputError` for a folder without it."""
    config = load(name, AutoConfig.from_pretrained)
    if config.model_type != TIMM:
        _check_files(
            name,
            PROCESSOR,
            "preprocessor_config.json, which says how an image becomes the input",
            "save the image processor of the model it was trained from into the folder "
            f'(AutoImageProcessor.from_pretrained("THAT MODEL").save_pretrained("{name}"))',
        )
    return load(name, AutoImageProcessor.from_pretrained, backend="pil")


def load_tokenizer(name: str) -> Any:
    """Load what splits texts. Raises `BadInputError` for a folder without it."""
    _check_files(
        name,
        TOKENIZER,
        "tokenizer (tokenizer.json)",
        "save the tokenizer of the model it was trained from into the folder "
        f'(AutoTokenizer.from_pretrained("THAT MODEL").save_pretrained("{name}"))',
    )
    return load(name, AutoTokenizer.from_pretrained)


def image_transform(name: str, processor: Any) -> tuple[Preprocess, tuple[int, int]]:
    """Make an image processor a function from image to array, and say the height and width that it gives.

    Raises `BadInputError` for a processor whose output depends on the image's shape.
    """

    def transform(image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        if timm:
            return np.asarray(processor(images=image)["pixel_values"][0], np.float32)
        # the layout is said, because an image 3 pixels high could be taken for one with channels first
        pixels = processor(images=image, return_tensors="np", input_data_format="channels_last")
        return np.asarray(pixels["pixel_values"][0], np.float32)

    timm = type(processor).__name__ == "TimmWrapperImageProcessor"
    try:
        shapes = {transform(Image.new("RGB", size)).shape for size in ((64, 64), (96, 64), (64, 96))}
    except Exception as error:
        raise BadInputError(
            f"The image processor of '{name}' can't prepare a picture ({reason(error)}): "
            "correct preprocessor_config.json."
        ) from error
    shape = shapes.pop()
    if shapes or len(shape) != 3 or shape[0] != 3:
        raise BadInputError(f"The image processor of '{name}' does not give every image one size.")
    return transform, (shape[1], shape[2])


def short_name(name: str) -> str:
    """Name a model for people: the last part of its folder or ID."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def _check_config(name: str, folder: Path) -> None:
    if (folder / "config.json").is_file():
        return
    inner = sorted(path.parent for path in folder.glob("*/config.json"))
    if (folder / "adapter_config.json").is_file():
        hint = "it holds an adapter (LoRA): merge it into its model and save that"
    elif (folder / "open_clip_config.json").is_file():
        hint = f"it is one of OpenCLIP: write openclip:local-dir:{name}"
    elif inner:
        latest = max(inner, key=lambda path: (path.stat().st_mtime, path.name))
        hint = f"it has models in folders of its own: name one, such as {Path(name) / latest.name}"
    else:
        hint = "name the folder that save_pretrained wrote"
    raise BadInputError(f"The folder '{name}' is no transformers model: it has no config.json; {hint}.")


def _check_files(name: str, patterns: Sequence[str], what: str, remedy: str) -> None:
    """A folder must hold one of the files; what `load` refuses anyway is left to it."""
    folder = expanded(name)
    if not (folder / "config.json").is_file() or any(any(folder.glob(pattern)) for pattern in patterns):
        return
    raise BadInputError(f"The model folder '{name}' has no {what}: {remedy}.")


def _explain(name: str, folder: Path, error: Exception) -> CspError:
    if isinstance(error, UnpicklingError) or "Weights only load failed" in str(error):
        pickled = next((path.name for path in sorted(folder.glob("*.bin"))), "a file of weights")
        return BadInputError(f"The file '{pickled}' of model '{name}' {runs_code(error)}")
    if folder.is_dir():
        return BadInputError(f"The model folder '{name}' can't be opened ({reason(error)}).")
    return UnavailableError(
        f"'{name}' is neither a folder here nor a model that the hub gave ({hub_reason(error)})."
    )
