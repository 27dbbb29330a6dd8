"""Text-to-image pipelines of diffusers: `hf:ID-or-folder`, published ones or a folder in the same format."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import diffusers
import torch
from diffusers.utils import logging
from PIL import Image
from torch import nn

from csp.errors import BadInputError, UnavailableError
from csp.files import expanded, require_folder
from csp.world.specs.hub import hub_reason
from csp.world.specs.registry import reason
from csp.world.torch_models.hugging_face import short_name
from csp.world.torch_models.layers import device, weights_hash

PROMPT = "a photo of {}"
STEPS = 25
"""Denoising steps a picture; more cost time and change little with today's schedulers."""


@dataclass(frozen=True)
class DiffusersGenerator:
    """A pipeline that makes one picture at a time, each from a seed of its own."""

    spec: str
    name: str
    weights_hash: str
    pipeline: Any

    def generate(self, text: str, count: int, seed: int) -> Sequence[Image.Image]:
        """`count` pictures of "a photo of TEXT". Raises `UnavailableError` where memory runs out."""
        return [self._picture(PROMPT.format(text), seed + place) for place in range(count)]

    def _picture(self, prompt: str, seed: int) -> Image.Image:
        random = torch.Generator().manual_seed(seed)
        try:
            made = self.pipeline(prompt, num_inference_steps=STEPS, generator=random, output_type="pil")
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise UnavailableError(
                f"There is not enough memory to make pictures with {self.spec}: take a smaller model."
            ) from error
        image: Image.Image = made.images[0]
        return image.convert("RGB")


def open_generator(name: str) -> DiffusersGenerator:
    """Open a text-to-image pipeline with safetensors weights; no code that comes with it is run.

    Raises `NotFoundError` for a missing folder, `BadInputError` for one that is no text-to-image pipeline,
    `UnavailableError` where the hub has none.
    """
    pipeline = _load(name)
    pipeline.set_progress_bar_config(disable=True)
    return DiffusersGenerator(f"hf:{name}", short_name(name), _hash(pipeline), pipeline.to(device()))


def _load(name: str) -> Any:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder = expanded(name)
    if folder.is_dir() and not (folder / "model_index.json").is_file():
        raise BadInputError(f"The folder '{name}' is no diffusers pipeline: it has no model_index.json.")
    if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        require_folder(folder, f"The pipeline folder '{name}'")
    try:
        return diffusers.AutoPipelineForText2Image.from_pretrained(
            str(folder) if folder.is_dir() else name, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # a library may raise anything on files that it does not expect
        if folder.is_dir():
            raise BadInputError(f"The pipeline '{name}' can't be opened ({reason(error)}).") from error
        raise UnavailableError(
            f"'{name}' is neither a folder here nor a pipeline that the hub gave ({hub_reason(error)})."
        ) from error


def _hash(pipeline: Any) -> str:
    """Over the weights of all parts, by name."""
    digest = hashlib.sha256()
    for part, module in sorted(pipeline.components.items()):
        if isinstance(module, nn.Module):
            digest.update(f"{part} {weights_hash(module)}\n".encode())
    return digest.hexdigest()
