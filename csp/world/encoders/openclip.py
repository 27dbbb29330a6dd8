"""Encoders of OpenCLIP: `openclip:ARCH/PRETRAINED`, or `openclip:local-dir:PATH`."""

import logging
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import open_clip
import torch
from safetensors import SafetensorError
from torch import Tensor

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.world.specs.registry import nearest, reason
from csp.world.torch_models.encoder import TorchEncoder
from csp.world.torch_models.layers import device, weights_hash

LOCAL = "local-dir:"
CONFIG = "open_clip_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


def open_encoder(name: str) -> TorchEncoder:
    """Open an encoder by architecture and pretrained tag or file, or from a local folder.

    Raises `BadInputError` for an unknown name or weights that don't fit, `NotFoundError` for a missing folder
    or file, `UnavailableError` where weights or tokenizer can't be downloaded.
    """
    source, pretrained = _local(name) if name.startswith(LOCAL) else _published(name)
    model, transform, tokenizer = _create(name, source, pretrained)
    model.eval().to(device())

    def text_features(prompts: list[str]) -> Tensor:
        return model.encode_text(tokenizer(prompts).to(device()))  # type: ignore[no-any-return]

    return TorchEncoder(
        spec=f"openclip:{name}",
        name=Path(name).name if name.startswith(LOCAL) else name,
        weights_hash=weights_hash(model),
        dimension=_dimension(text_features),
        transform=lambda image: transform(image).numpy(),
        image_features=lambda batch: model.encode_image(batch.to(device())),
        text_features=text_features,
    )


def _local(name: str) -> tuple[str, None]:
    folder = Path(name.removeprefix(LOCAL)).expanduser()
    if not folder.is_dir():
        raise NotFoundError(f"The OpenCLIP folder '{folder}' does not exist.")
    if not (folder / CONFIG).is_file():
        raise BadInputError(f"The folder '{folder}' is no OpenCLIP model: it has no {CONFIG}.")
    # without weights OpenCLIP would go on with random ones
    if not any(path for pattern in WEIGHTS for path in folder.glob(pattern)):
        raise BadInputError(
            f"The OpenCLIP folder '{folder}' has no weights such as open_clip_model.safetensors."
        )
    return f"{LOCAL}{folder}", None


def _published(name: str) -> tuple[str, str]:
    architecture, _, pretrained = name.partition("/")
    known = open_clip.list_models()
    if architecture not in known:
        raise BadInputError(f"OpenCLIP has no architecture '{architecture}'{nearest(architecture, known)}.")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if pretrained not in tags and not Path(pretrained).is_file():
        raise BadInputError(
            f"OpenCLIP has no weights '{pretrained}' for {architecture}, and there is no such file: "
            f"it has {', '.join(tags) or 'none'}."
        )
    return architecture, pretrained


def _create(name: str, source: str, pretrained: str | None) -> tuple[Any, Any, Any]:
    logging.disable(logging.ERROR)  # OpenCLIP logs what it also raises
    try:
        model, _, transform = open_clip.create_model_and_transforms(source, pretrained=pretrained)
        return model, transform, open_clip.get_tokenizer(source)
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        SafetensorError,
        UnpicklingError,
    ) as error:
        raise _explain(name, error) from error
    finally:
        logging.disable(logging.NOTSET)


def _explain(name: str, error: Exception) -> BadInputError | UnavailableError:
    if name.startswith(LOCAL):
        return BadInputError(f"The OpenCLIP model '{name}' can't be opened ({reason(error)}).")
    return UnavailableError(f"The OpenCLIP model '{name}' can't be downloaded or opened ({reason(error)}).")


def _dimension(text_features: Any) -> int:
    with torch.inference_mode():
        return int(text_features([""]).shape[-1])
