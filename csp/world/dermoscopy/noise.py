"""Random streams and smooth random fields, the raw material of every component."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]
"""A picture-sized array (size, size) of float32."""


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one component of one case.

    Streams of different names are independent, so switching a component on or off leaves the random
    numbers of all others, and with them the rest of the picture, as they were.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def resize(field: Field, size: int, method: Image.Resampling = Image.Resampling.BICUBIC) -> Field:
    """`field` stretched to (size, size)."""
    return np.asarray(Image.fromarray(field).resize((size, size), method), dtype=np.float32)


def smooth(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Noise with one random value per cell, `cells` across, about zero mean and unit deviation.

    The number of cells is per picture and not per pixel, so the field looks the same at every size.
    """
    grid = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    scale = (cells + 3) / cells
    wide = resize(grid, round(size * scale))
    start = (wide.shape[0] - size) // 2
    return wide[start : start + size, start : start + size] * np.float32(1.5)


def fractal(rng: np.random.Generator, size: int, cells: int, octaves: int = 4, gain: float = 0.5) -> Field:
    """Sum of `octaves` smooth fields, each twice as fine and `gain` times as strong; unit deviation."""
    total = np.zeros((size, size), dtype=np.float32)
    power = 0.0
    for octave in range(octaves):
        amplitude = gain**octave
        total += np.float32(amplitude) * smooth(rng, size, cells * 2**octave)
        power += amplitude**2
    return total / np.float32(power**0.5)


def step(low: float, high: float, field: Field) -> Field:
    """0 below `low`, 1 above `high`, a smooth rise between them."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blend(picture: NDArray[np.float32], colour: NDArray[np.float32], alpha: Field) -> None:
    """Lay `colour` (one RGB, or a picture) over `picture` in place; `alpha` 0 leaves it, 1 replaces it."""
    picture += (colour - picture) * alpha[..., None]
