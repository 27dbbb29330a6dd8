"""Small pictures of which each can be told from the others."""

import io

import numpy as np
from PIL import Image


def picture(number: int, size: int = 12) -> Image.Image:
    """A picture of its own colour, with a little noise."""
    rng = np.random.default_rng(number)
    pixels = np.full((size, size, 3), (40 * number % 256, 90, 30 * number % 256), np.uint8)
    return Image.fromarray(pixels + rng.integers(0, 9, pixels.shape, np.uint8))


def png(number: int) -> bytes:
    file = io.BytesIO()
    picture(number).save(file, "PNG")
    return file.getvalue()
