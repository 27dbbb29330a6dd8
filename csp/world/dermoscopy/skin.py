"""Bare skin: its tone, texture, and the light it is seen in."""

from __future__ import annotations

import numpy as np

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.brush import Brush, drawn
from csp.world.dermoscopy.noise import Field, Picture, fractal, smooth, stream

# Fitzpatrick I to VI under polarised light, which takes the surface glare off and so looks saturated.
TONES = np.array(
    [
        (0.960, 0.855, 0.810),
        (0.925, 0.765, 0.690),
        (0.880, 0.690, 0.580),
        (0.770, 0.570, 0.440),
        (0.610, 0.430, 0.325),
        (0.440, 0.300, 0.225),
    ],
    dtype=np.float32,
)

# How strongly red, green and blue are taken up, per unit of each pigment.
MELANIN = np.array((0.43, 0.80, 1.16), dtype=np.float32)
BLOOD = np.array((0.10, 0.75, 0.62), dtype=np.float32)


def skin(case: Case, size: int) -> Picture:
    """Unmarked skin of the case's tone."""
    rng = stream(case.seed, "skin")
    picture = np.empty((3, size, size), dtype=np.float32)
    picture[:] = TONES[case.skin_tone - 1][:, None, None]
    blood = 0.028 * fractal(rng, size, 5, 3, 0.6) + np.float32(rng.uniform(-0.06, 0.22))
    blotches = np.float32(0.010 + 0.045 * rng.random() ** 4)  # few people are much blotched
    melanin = blotches * fractal(rng, size, 14, 4, 0.95) + np.float32(rng.uniform(-0.04, 0.06))
    absorb(picture, melanin + _lines(rng, size) + _follicles(rng, size), blood)
    return picture


def absorb(picture: Picture, melanin: Field, blood: Field | None = None) -> None:
    """Darken `picture` in place as pigment in the skin would, channel by channel."""
    for channel in range(3):
        load = melanin * MELANIN[channel]
        if blood is not None:
            load = load + blood * BLOOD[channel]
        picture[channel] *= np.exp(-load)


def _lines(rng: np.random.Generator, size: int) -> Field:
    """The fine criss-cross of skin creases: thin valleys of two stretched noise fields."""
    total = np.zeros((size, size), dtype=np.float32)
    for _ in range(2):
        ridged = np.abs(smooth(rng, size, int(rng.integers(26, 44))))
        total += np.clip(np.float32(0.25) - ridged, 0, None)
    return total * np.float32(rng.uniform(0.05, 0.2))


def _follicles(rng: np.random.Generator, size: int) -> Field:
    places = rng.uniform(0, 1, (int(rng.integers(20, 90)), 2))
    radii = rng.uniform(0.0025, 0.006, len(places))

    def paint(brush: Brush) -> None:
        for place, radius in zip(places, radii, strict=True):
            brush.dot(place, radius, 150)

    return drawn(size, paint) * np.float32(rng.uniform(-0.1, 0.16))
