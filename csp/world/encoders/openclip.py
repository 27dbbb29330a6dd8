"""Encoders of OpenCLIP: `openclip:ARCH/PRETRAINED`, `openclip:hf-hub:OWNER/NAME`, `openclip:local-dir:PATH`.

PRETRAINED is a tag of published weights, or a file.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import open_clip
import torch
from open_clip.factory import load_checkpoint
from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from open_clip.transformer import QuickGELU
from torch import Tensor, nn
from transformers import AutoConfig

from csp.errors import BadInputError, CspError, UnavailableError
from csp.files import expanded, read_regular, require_file, require_folder
from csp.world.specs.hub import hub_reason
from csp.world.specs.registry import nearest, reason
from csp.world.torch_models.checkpoints import plain_values, read_checkpoint, runs_code
from csp.world.torch_models.encoder import TorchEncoder
from csp.world.torch_models.finite import refuse_not_finite
from csp.world.torch_models.hugging_face import TOKENIZER
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.library_warnings import heard
from csp.world.torch_models.model_names import file_name, model_name
from csp.world.torch_models.state_dicts import find_state_dicts, notes_on_sets, notes_on_strays
from csp.world.torch_models.target import Preprocess

LOCAL = "local-dir:"
HUB = "hf-hub:"
CONFIG = "open_clip_config.json"
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "*.safetensors",
    "*.safetensors.index.json",
    "*.bin",
    "*.pth",
    "*.pt",
    "*.ckpt",
)
"""Where a folder's weights are looked for, the first found first."""
QUICK = "-quickgelu"
"""How the architectures that compute with QuickGELU end; OpenAI's weights were trained with it."""
_SETTLED = ("QuickGELU mismatch", "No pretrained weights loaded", "initialized partially")
"""What OpenCLIP warns of and this module sees to."""


@dataclass(frozen=True)
class Source:
    """What to build and where its weights are: OpenCLIP's own name and tag, or a file."""

    architecture: str
    name: str
    tag: str | None = None
    file: Path | None = None
    options: dict[str, Any] | None = None
    tokenizer: Callable[[list[str]], Tensor] | None = None
    """Where it is not the one that OpenCLIP would take."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A whole model with its weights, in evaluation mode, where models run."""

    model: Any
    tokenizer: Callable[[list[str]], Tensor]
    transform: Preprocess
    name: str
    weights_hash: str
    notes: tuple[str, ...]


def open_encoder(name: str) -> TorchEncoder:
    """Open an encoder by architecture and pretrained tag or file, from the hub, or from a local folder.

    Raises `BadInputError` for an unknown name or weights that don't fit, `NotFoundError` for a missing folder
    or file, `UnavailableError` where weights or tokenizer can't be downloaded.
    """
    loaded = load_openclip(name)
    model, tokenizer = loaded.model, loaded.tokenizer

    def text_features(prompts: list[str]) -> Tensor:
        return model.encode_text(tokenizer(prompts).to(device()))  # type: ignore[no-any-return]

    return TorchEncoder(
        spec=f"openclip:{name}",
        name=loaded.name,
        weights_hash=loaded.weights_hash,
        dimension=_dimension(text_features),
        transform=loaded.transform,
        image_features=lambda batch: model.encode_image(batch.to(device())),
        text_features=text_features,
        notes=loaded.notes,
    )


def load_openclip(name: str) -> Loaded:
    """Load a model of OpenCLIP with its image preparation and tokenizer. Raises as `open_encoder` does."""
    source = _source(name)
    notes: list[str] = []
    with heard() as said, plain_values():
        try:
            model = open_clip.create_model(
                source.architecture,
                pretrained=source.tag,
                load_weights=source.file is None,
                pretrained_text=False,
                require_pretrained=source.file is None,
                **(source.options or {}),
            )
            if source.file is not None:
                notes += _fill(model, source.file, name)
            tokenizer = source.tokenizer or open_clip.get_tokenizer(source.architecture)
        except CspError:
            raise
        except Exception as error:
            raise _explain(name, error) from error
    refuse_not_finite(model, f"The model 'openclip:{name}'")
    model.eval().to(device())
    transform = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False)
    heeded = [text for text in said if not any(settled in text for settled in _SETTLED)]
    return Loaded(
        model,
        tokenizer,
        lambda image: transform(image).numpy(),
        source.name,
        _hash(model),
        (*source.notes, *notes, *(f"OpenCLIP says of the model: {text}" for text in heeded)),
    )


def _source(name: str) -> Source:
    if name.startswith(LOCAL):
        return _folder(name)
    if name.startswith(HUB):
        model = name.removeprefix(HUB)
        if model.count("/") != 1 or not all(model.split("/")):
            raise BadInputError(f"A model of the hub is openclip:{HUB}OWNER/NAME, not 'openclip:{name}'.")
        return Source(name, model)
    architecture, _, pretrained = name.partition("/")
    known = open_clip.list_models()
    if architecture not in known:
        hint = nearest(architecture, known)
        if pretrained and not hint:
            hint = f"; a model of the hub is written openclip:{HUB}{name}"
        raise BadInputError(f"OpenCLIP has no architecture '{architecture}'{hint}.")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if pretrained in tags:
        return _published(architecture, pretrained)
    file = expanded(pretrained)
    if not pretrained or not file.exists():
        raise BadInputError(
            f"OpenCLIP has no weights '{pretrained}' for {architecture}, and there is no such file: "
            f"it has {', '.join(tags) or 'none'}."
        )
    require_file(file, f"The file of weights '{pretrained}'")
    notes = []
    if architecture + QUICK in known:
        notes.append(
            f"The file {file.name} does not say its activation function: {architecture} "
            f"computes with GELU; for weights trained with QuickGELU, as OpenAI's were, write "
            f"openclip:{architecture}{QUICK}/{pretrained}."
        )
    return Source(architecture, f"{architecture} ({file_name(pretrained)})", file=file, notes=tuple(notes))


def _published(architecture: str, tag: str) -> Source:
    """With the activation function that the weights were trained with, whatever the name says."""
    trained = bool(open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False))
    named = bool(open_clip.get_model_config(architecture).get("quick_gelu", False))
    name = f"{architecture}/{tag}"
    if trained == named:
        return Source(architecture, name, tag)
    function = "QuickGELU" if trained else "GELU"
    note = f"The weights {tag} of {architecture} were trained with {function}, and are computed with it here."
    return Source(architecture, name, tag, options={"quick_gelu": trained}, notes=(note,))


def _folder(name: str) -> Source:
    folder = expanded(name.removeprefix(LOCAL))
    require_folder(folder, f"The OpenCLIP folder '{folder}'")
    if not (folder / CONFIG).is_file():
        raise BadInputError(f"The folder '{folder}' is no OpenCLIP model: it has no {CONFIG}.")
    file = next((path for pattern in WEIGHTS for path in sorted(folder.glob(pattern))), None)
    # without weights OpenCLIP would go on with random ones
    if file is None:
        raise BadInputError(
            f"The OpenCLIP folder '{folder}' has no weights such as open_clip_model.safetensors."
        )
    text = _text_config(folder)
    options = _text_tower(folder, text)
    return Source(
        f"{LOCAL}{folder}",
        model_name(str(folder)),
        file=file,
        options=options,
        tokenizer=_tokenizer(folder, text),
    )


def _text_config(folder: Path) -> dict[str, Any]:
    """The part about texts of a folder's configuration; {} where OpenCLIP will refuse it anyway."""
    try:
        text = json.loads(read_regular(folder / CONFIG))["model_cfg"]["text_cfg"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return text if isinstance(text, dict) else {}


def _text_tower(folder: Path, text: dict[str, Any]) -> dict[str, Any]:
    """Options that let OpenCLIP find a text tower of transformers, whose configuration must be at hand."""
    tower = text.get("hf_model_name")
    if not isinstance(tower, str) or not tower:
        return {}
    place = folder / expanded(tower)
    local = place.is_dir()
    if local and not (place / "config.json").is_file():
        raise BadInputError(
            f"The OpenCLIP folder '{folder}' can't be opened: its {CONFIG} names '{tower}' as hf_model_name, "
            f"and there is no config.json in it; write the folder of the text model there."
        )
    found = str(place) if local else tower
    try:
        AutoConfig.from_pretrained(found, trust_remote_code=False)
    except Exception as error:
        raise UnavailableError(
            f"The OpenCLIP folder '{folder}' can't be opened: the text tower '{tower}', which its {CONFIG} "
            "names as hf_model_name, is not on this machine and can't be downloaded; download it and write "
            "its folder there."
        ) from error
    return {"text_cfg": text | {"hf_model_name": found, "hf_model_pretrained": False}} if local else {}


def _tokenizer(folder: Path, text: dict[str, Any]) -> Callable[[list[str]], Tensor] | None:
    """The tokenizer that a folder's configuration names, where the folder has none itself; else None."""
    named = text.get("hf_tokenizer_name")
    if not isinstance(named, str) or not named or _has_tokenizer(folder):
        return None
    place = folder / expanded(named)
    if place.is_dir() and not _has_tokenizer(place):
        raise BadInputError(
            f"The OpenCLIP folder '{folder}' can't be opened: its {CONFIG} names '{named}' as "
            "hf_tokenizer_name, and there is no tokenizer.json in it; save the tokenizer there."
        )
    try:
        tokenizer: Callable[[list[str]], Tensor] = HFTokenizer(
            str(place) if place.is_dir() else named,
            context_length=text.get("context_length", DEFAULT_CONTEXT_LENGTH),
            tokenizer_mode=text.get("tokenizer_mode"),
            **text.get("tokenizer_kwargs", {}),
        )
    except Exception as error:
        raise UnavailableError(
            f"The OpenCLIP folder '{folder}' can't be opened: the tokenizer '{named}', which its {CONFIG} "
            "names as hf_tokenizer_name, is not on this machine and can't be downloaded; save it into the "
            f'folder (AutoTokenizer.from_pretrained("{named}").save_pretrained("{folder}")).'
        ) from error
    return tokenizer


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / file).is_file() for file in TOKENIZER)


def _fill(model: nn.Module, file: Path, name: str) -> list[str]:
    """Load a file's weights; returns notes on what else is in it. Raises `BadInputError`."""
    checkpoint = read_checkpoint(str(file))
    own = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    found = find_state_dicts(checkpoint, own)
    if found:
        state = found[0].tensors
        if all(key in state and tuple(state[key].shape) == shape for key, shape in own.items()):
            model.load_state_dict({key: state[key] for key in own})
            what = f"openclip:{name}"
            return [
                *notes_on_sets(found, found[0], str(file), "name a file that holds only those"),
                *notes_on_strays(checkpoint, found, found[0], own, what),
            ]
    load_checkpoint(model, str(file))  # which knows older formats and other sizes of the input
    return []


def _explain(name: str, error: Exception) -> CspError:
    if isinstance(error, UnpicklingError) or "Weights only load failed" in str(error):
        return BadInputError(f"The file of weights of 'openclip:{name}' {runs_code(error)}")
    if name.startswith(HUB) or (not name.startswith(LOCAL) and not Path(name.partition("/")[2]).is_file()):
        return UnavailableError(
            f"The OpenCLIP model '{name}' can't be downloaded or opened ({hub_reason(error)}): connect to "
            f"the internet, or download its folder and name it as openclip:{LOCAL}FOLDER."
        )
    return BadInputError(f"The OpenCLIP model '{name}' can't be opened ({reason(error)}).")


def _hash(model: nn.Module) -> str:
    """Of the weights; the activation function is part of what they compute and has none of its own."""
    weights = weights_hash(model)
    if not any(isinstance(module, QuickGELU) for module in model.modules()):
        return weights
    return hashlib.sha256(f"{weights} QuickGELU".encode()).hexdigest()


def _dimension(text_features: Callable[[list[str]], Tensor]) -> int:
    with torch.inference_mode():
        return int(text_features([""]).shape[-1])
