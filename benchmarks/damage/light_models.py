"""A target model and an encoder of a few lines of NumPy, so that indexing spends its time on what it keeps.

`python:benchmarks.damage.light_models:x`; neurons are mean colours, embeddings are pixels.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from PIL import Image

from csp.world.protocols.target import LayerInfo, Pooling, TargetOutput

SIZE = 8
SPEC = f"python:{__name__}:x"


class Colours:
    """Both models at once."""

    spec = SPEC
    name = "colours"
    classes = ("light", "dark")
    weights_hash = hashlib.sha256(b"colours").hexdigest()
    input_size = (SIZE, SIZE)
    dimension = 3 * SIZE * SIZE

    def layers(self) -> list[LayerInfo]:
        """The one layer."""
        return [LayerInfo("colour", "Mean", (3,))]

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Eight pixels by eight."""
        pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE)), np.float32) / 255
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Mean colours; the lighter the likelier."""
        colour = batch.mean((2, 3))
        light = colour.mean(1, keepdims=True)
        return TargetOutput(dict.fromkeys(layers, colour), np.hstack([light, 1 - light]))

    def embed_images(self, batch: Float32[np.ndarray, "b 3 h w"]) -> Float32[np.ndarray, "b d"]:
        """The pixels, of length one."""
        return _unit(batch.reshape(len(batch), -1) + 0.01)

    def embed_texts(
        self, texts: Sequence[str], templates: Sequence[str] = (), renormalise: bool = True
    ) -> Float32[np.ndarray, "t d"]:
        """The same direction for the same place."""
        return _unit(np.random.default_rng(len(texts)).random((len(texts), self.dimension), np.float32))


def open_target(name: str, pooling: Pooling) -> Colours:
    """As `csp index` asks for it."""
    return Colours()


def open_encoder(name: str) -> Colours:
    """As `csp index` asks for it."""
    return Colours()


def _unit(rows: Float32[np.ndarray, "b d"]) -> Float32[np.ndarray, "b d"]:
    unit: Float32[np.ndarray, "b d"] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
