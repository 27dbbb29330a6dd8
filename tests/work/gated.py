"""A target model and an encoder of a few lines of NumPy that wait at a gate: jobs last as a test wants.

`python:tests.work.gated:FOLDER` waits before each batch until FOLDER/go has a letter for it.
"""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from PIL import Image

from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import LayerInfo, TargetOutput

SIZE = 8


class Gated:
    """Both models at once: neurons are mean colours, embeddings are pixels."""

    classes = ("light", "dark")
    weights_hash = hashlib.sha256(b"gated").hexdigest()
    input_size = (SIZE, SIZE)
    dimension = 3 * SIZE * SIZE
    name = "gated"

    def __init__(self, folder: str) -> None:
        self.spec = f"python:tests.work.gated:{folder}"
        self._gate = Path(folder)

    def layers(self) -> list[LayerInfo]:
        return [LayerInfo("colour", "Mean", (3,))]

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE)), np.float32) / 255
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        self._wait()
        colour = batch.mean((2, 3))
        light = colour.mean(1, keepdims=True)
        return TargetOutput(dict.fromkeys(layers, colour), np.hstack([light, 1 - light]))

    def embed_images(self, batch: Float32[np.ndarray, "b 3 h w"]) -> Float32[np.ndarray, "b d"]:
        flat = batch.reshape(len(batch), -1) + 0.01
        unit: np.ndarray = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return unit

    def embed_texts(
        self, texts: Sequence[str], templates: Sequence[str] = (), renormalise: bool = True
    ) -> Float32[np.ndarray, "t d"]:
        flat = np.random.default_rng(len(texts)).random((len(texts), self.dimension), np.float32)
        unit: np.ndarray = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return unit

    def _wait(self) -> None:
        """Count a batch at the gate, and wait until it is let through."""
        passed = self._gate / "passed"
        number = len(passed.read_text()) if passed.exists() else 0
        while not (self._gate / "go").exists() or len((self._gate / "go").read_text()) <= number:
            time.sleep(0.02)
        passed.write_text("x" * (number + 1))


def open_target(name: str, pooling: Pooling) -> Gated:
    return Gated(name)


def open_encoder(name: str) -> Gated:
    return Gated(name)
