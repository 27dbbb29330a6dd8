"""A picture as most models take it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from PIL import Image


def prepared(
    image: Image.Image, size: tuple[int, int], mean: Sequence[float], std: Sequence[float]
) -> Float32[np.ndarray, "3 h w"]:
    """Scale the short side to the input, cut the centre out, normalise; pixels count from 0 to 1."""
    height, width = size
    scale = max(height / image.height, width / image.width)
    scaled_to = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    scaled = image.resize(scaled_to, Image.Resampling.BILINEAR)
    left, top = (scaled_to[0] - width) // 2, (scaled_to[1] - height) // 2
    pixels = np.asarray(scaled.crop((left, top, left + width, top + height)), np.float32) / 255
    normalised = (pixels - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)
