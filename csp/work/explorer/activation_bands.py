"""What a neuron does at every level of activation: images from its strongest to its weakest."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csp.method.examples.activation_bands import BANDS, level_images
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import ImageFacts

A_LEVEL = 6
"""How many images stand for a level."""


@dataclass(frozen=True)
class ActivationBand:
    """One band of the ranking of all images by activation."""

    start: float
    """Share of the images that fire the neuron more strongly."""
    stop: float
    images: tuple[tuple[ImageFacts, float], ...]
    """Images spread evenly over the band, each with its activation, the strongest first."""


def levels(explorer: Explorer, layer: str, neuron: int) -> tuple[ActivationBand, ...]:
    """The levels of one neuron, the strongest first; one without any image is left out."""
    activations = explorer.run.activations(layer, neuron)
    found = level_images(activations, A_LEVEL)
    return tuple(
        ActivationBand(start, stop, tuple(_image(explorer, activations, image) for image in images.tolist()))
        for (start, stop), images in zip(pairwise(BANDS), found, strict=True)
        if len(images)
    )


def _image(explorer: Explorer, activations: np.ndarray, image: int) -> tuple[ImageFacts, float]:
    return explorer.images.facts(image), float(activations[image])
