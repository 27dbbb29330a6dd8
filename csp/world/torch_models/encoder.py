"""An encoder made of any two torch towers: what the adapters build, and what a user's own may build."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from csp.errors import BadInputError
from csp.method.labelers.projection import mean_text_embedding
from csp.world.protocols.templates import TEMPLATES
from csp.world.torch_models.target import Preprocess

# prompts in one pass of the text tower; bounds the memory
TEXT_BATCH = 128


@dataclass(frozen=True)
class TorchEncoder:
    """Two towers given as functions: a batch of images, and a list of prompts, to features of any length."""

    spec: str
    name: str
    weights_hash: str
    dimension: int
    transform: Preprocess
    image_features: Callable[[Tensor], Tensor]
    text_features: Callable[[list[str]], Tensor]
    notes: tuple[str, ...] = ()
    """What to know of the encoder before relying on it, each in a sentence."""

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into the image tower's input."""
        return self.transform(image)

    def embed_images(self, batch: Float32[np.ndarray, "b 3 h w"]) -> Float32[np.ndarray, "b d"]:
        """Embed preprocessed images as unit vectors."""
        with torch.inference_mode():
            return normalize(self.image_features(torch.tensor(batch)).float(), dim=-1).cpu().numpy()

    def embed_texts(
        self, texts: Sequence[str], templates: Sequence[str] = TEMPLATES, renormalise: bool = True
    ) -> Float32[np.ndarray, "t d"]:
        """Embed each text as the mean of its unit embeddings over the templates, itself made unit.

        Without `renormalise` the mean stays shorter than 1. Raises `BadInputError` without templates, or for
        one that lacks `{}`.
        """
        if not templates or any("{}" not in template for template in templates):
            raise BadInputError("Every prompt template needs a {} where the text goes (at least one).")
        prompts = [template.replace("{}", text) for template in templates for text in texts]
        embeddings = self._embed_prompts(prompts).reshape(len(templates), len(texts), self.dimension)
        return mean_text_embedding(embeddings, renormalise)

    def _embed_prompts(self, prompts: list[str]) -> Float32[np.ndarray, "p d"]:
        parts = [prompts[start : start + TEXT_BATCH] for start in range(0, len(prompts), TEXT_BATCH)]
        with torch.inference_mode():
            features = [self.text_features(part).float().cpu().numpy() for part in parts]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *features])
