"""Random streams and smooth random fields, the raw material of every component."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]
"""One number per pixel, (size, size)."""

Picture = NDArray[np.float32]
"""RGB, 0 to 1, channels first (3, size, size): that way every operation runs along contiguous memory."""


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one component of one case.

    Streams of different names are independent, so switching a component on or off leaves the random
    numbers of all others, and with them the rest of the picture, as they were.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def smooth(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Noise with one random value per cell, `cells` across, about zero mean and unit deviation.

    The number of cells is per picture and not per pixel, so the field looks the same at every size.
    """
    return fractal(rng, size, cells, 1)


def fractal(rng: np.random.Generator, size: int, cells: int, octaves: int = 4, gain: float = 0.5) -> Field:
    """Sum of `octaves` smooth fields, each twice as fine and `gain` times as strong; about unit deviation.

    Built from coarse to fine on small grids and stretched to `size` once, which is what makes it fast.
    """
    margin = 1  # cells around the picture, so that no edge of the grid shows
    total = np.zeros((1, 1), dtype=np.float32)
    for octave in range(octaves):
        n = (cells + 2 * margin) * 2**octave
        grid = rng.standard_normal((n, n), dtype=np.float32)
        total = stretched(total, n) + np.float32(gain**octave) * grid
    finest = 2 ** (octaves - 1)
    box = (margin * finest, margin * finest, (cells + margin) * finest, (cells + margin) * finest)
    power = sum(gain ** (2 * octave) for octave in range(octaves))
    return stretched(total, size, box) * np.float32(1.4 / power**0.5)


def stretched(grid: Field, size: int, box: tuple[float, float, float, float] | None = None) -> Field:
    """`grid` (or the `box` of it: left, top, right, bottom) at `size`, smoothly interpolated."""
    image = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC, box)
    return np.asarray(image, dtype=np.float32)


def step(low: float, high: float, field: Field) -> Field:
    """0 below `low`, 1 above `high`, a smooth rise between them."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def rgb(red: float, green: float, blue: float) -> NDArray[np.float32]:
    """One colour."""
    return np.array((red, green, blue), dtype=np.float32)


def shaded(colour: NDArray[np.float32], shade: Field) -> Picture:
    """A picture of one colour, darker and brighter as `shade` says (1 leaves it)."""
    return colour[:, None, None] * shade


def blend(picture: Picture, colour: NDArray[np.float32], alpha: Field) -> None:
    """Lay `colour` (one RGB, or a picture) over `picture` in place; `alpha` 0 leaves it, 1 replaces it."""
    for channel in range(3):
        layer = picture[channel]
        layer += (colour[channel] - layer) * alpha
