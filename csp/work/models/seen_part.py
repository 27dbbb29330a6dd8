"""Which part of a picture a model sees: most cut off what does not fit into a square."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PIL import Image

NEARLY_ALL = 0.97
"""Who sees so much of a side sees the whole of it: resizing blurs the edge."""


@dataclass(frozen=True)
class SeenPart:
    """The shares of width and height that a model sees, 0 to 1."""

    width: float
    height: float

    @property
    def whole(self) -> bool:
        """Whether nothing was cut off."""
        return min(self.width, self.height) >= NEARLY_ALL


def seen_part(
    preprocess: Callable[[Image.Image], Float32[np.ndarray, "3 h w"]], size: tuple[int, int]
) -> SeenPart | None:
    """What `preprocess` leaves of a picture of this width and height; None where it can't be told.

    It is shown a picture that gets lighter to the right in red and downwards in green, then a black and a
    white one, which tell what it makes of lightness.
    """
    black, white = (preprocess(Image.new("RGB", size, colour)) for colour in ("black", "white"))
    scale = (white - black)[:2]
    if not (np.isfinite(scale).all() and np.abs(scale).min() > 0):
        return None
    width, height = size
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, width)
    ramp[..., 1] = np.linspace(0, 255, height)[:, None]
    light = ((preprocess(Image.fromarray(ramp)) - black)[:2] / scale).clip(0, 1)
    across, down = (float(channel.max() - channel.min()) for channel in light)
    return SeenPart(across, down)
