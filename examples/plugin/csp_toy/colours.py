"""A target model without weights: its neurons are the mean colours of an image."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import LayerInfo, TargetOutput


class Colours:
    """Offers what `csp.world.protocols.target.TargetModel` asks for; nothing is inherited."""

    spec, name = "toy:colours", "colours"
    classes = ("dark", "bright")
    weights_hash = "colours-1"
    input_size = (32, 32)

    def layers(self) -> list[LayerInfo]:
        """One layer."""
        return [LayerInfo("colours", "Mean", (3,))]

    def preprocess(self, image: Image.Image) -> np.ndarray:
        """Channels first, 0 to 1."""
        return np.asarray(image.resize((32, 32)), dtype=np.float32).transpose(2, 0, 1) / 255

    def run(self, batch: np.ndarray, layers: Sequence[str]) -> TargetOutput:
        """The mean colours, and how bright each image is."""
        for layer in layers:
            if layer != "colours":
                raise NotFoundError(f"toy:colours has no layer '{layer}'; it has colours.")
        means = batch.mean(axis=(2, 3)).astype(np.float32)
        bright = means.mean(axis=1)
        return TargetOutput(
            dict.fromkeys(layers, means), np.stack([1 - bright, bright], axis=1).astype(np.float32)
        )


def open_target(name: str, pooling: Pooling) -> Colours:
    """Open it; there is only `colours`."""
    if name != "colours":
        raise BadInputError(f"The target model 'toy:{name}' is not toy:colours.")
    return Colours()
