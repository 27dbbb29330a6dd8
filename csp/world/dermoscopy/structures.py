"""Dermoscopic structures of the lesion, each drawn from its own random stream."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.brush import Brush, Points, drawn
from csp.world.dermoscopy.noise import Field, Picture, blend, fractal, rgb, shaded, step, stream
from csp.world.dermoscopy.pigment import daylight, zone
from csp.world.dermoscopy.shape import Shape

VEIL_BLUE = rgb(0.25, 0.30, 0.47)
VEIL_HAZE = rgb(0.62, 0.67, 0.80)
SCAR = rgb(0.94, 0.84, 0.81)
PEPPER = rgb(0.43, 0.42, 0.46)
CYST = rgb(1.00, 0.95, 0.80)
VESSEL = rgb(0.74, 0.07, 0.12)
BLUSH = rgb(0.88, 0.52, 0.50)


def globules(case: Case, shape: Shape) -> Field:
    """Melanin of brown dots and globules: many small and some large discs."""
    rng = stream(case.seed, "globules")
    n = int(rng.integers(45, 85))
    places = shape.at(rng.uniform(-np.pi, np.pi, n), np.sqrt(rng.uniform(0.02, 1.08, n)))
    radii = np.where(rng.random(n) < 0.35, rng.uniform(0.006, 0.009, n), rng.uniform(0.010, 0.017, n))
    values = rng.integers(130, 256, n)

    def paint(brush: Brush) -> None:
        for place, radius, value in zip(places, radii, values, strict=True):
            brush.dot(place, radius, int(value))

    return np.float32(1.45) * _softened(drawn(len(shape.body), paint), 0.003)


def streaks(case: Case, shape: Shape) -> Field:
    """Melanin of radial streaks and pseudopods at the rim; all round if symmetric, else on one side."""
    rng = stream(case.seed, "streaks")
    side = rng.uniform(-np.pi, np.pi)
    spread = np.pi if case.asymmetry == 0 else 1.5
    angles = side + np.linspace(-spread, spread, round(spread * 13), endpoint=False)
    angles = angles + rng.uniform(-0.075, 0.075, len(angles))
    inner, outer = rng.uniform(0.55, 0.8, len(angles)), 1.08 + 0.24 * rng.random(len(angles)) ** 1.3
    lean = rng.uniform(-0.1, 0.1, len(angles))
    knobs = rng.random(len(angles)) < 0.5

    def paint(brush: Brush) -> None:
        for angle, low, high, bend, knob in zip(angles, inner, outer, lean, knobs, strict=True):
            t = np.linspace(0, 1, 8)
            line = shape.at(angle + bend * t, low + (high - low) * t)
            brush.stroke(line, 0.024 - 0.016 * t)
            if knob:
                brush.dot(line[-1], 0.0085)

    merging = 1 - step(0.1, 0.42, shape.depth)
    return np.float32(1.6) * _softened(drawn(len(shape.body), paint), 0.0045) * merging


def veil(case: Case, shape: Shape, picture: Picture) -> None:
    """A confluent blue area under a whitish ground-glass haze."""
    size, light = len(shape.body), daylight(case)
    area = zone(case, shape, "veil", 0.66, 0.28) * step(-0.02, 0.22, shape.depth)
    rng = stream(case.seed, "veil haze")
    haze = step(-1.5, 2.4, fractal(rng, size, 5, 3, 0.5)) + np.float32(0.05) * fractal(rng, size, 34, 3, 0.9)
    tint = VEIL_BLUE[:, None, None] + shaded(VEIL_HAZE - VEIL_BLUE, haze)
    blend(picture, tint * light, area * np.float32(0.84))


def regression(case: Case, shape: Shape, picture: Picture) -> None:
    """White scar-like depigmentation, with grey-blue peppering in it."""
    rng, light = stream(case.seed, "peppering"), daylight(case)
    area = zone(case, shape, "regression", 0.52) * step(-0.05, 0.1, shape.depth)
    cloudy = np.clip(0.74 + 0.14 * fractal(rng, len(area), 12, 4, 0.7), 0, 1)
    blend(picture, SCAR * light, area * cloudy)
    n = 650
    places = shape.at(rng.uniform(-np.pi, np.pi, n), np.sqrt(rng.uniform(0, 1, n)))
    radii, values = rng.uniform(0.0022, 0.0048, n), rng.integers(120, 256, n)

    def paint(brush: Brush) -> None:
        for place, radius, value in zip(places, radii, values, strict=True):
            brush.dot(place, radius, int(value))

    blend(picture, PEPPER * light, _softened(drawn(len(area), paint), 0.0024) * area)


def cysts(case: Case, shape: Shape, picture: Picture) -> None:
    """Milia-like cysts: bright round yellowish-white dots, each with a soft glow."""
    rng = stream(case.seed, "cysts")
    n = int(rng.integers(12, 22))
    places = shape.at(rng.uniform(-np.pi, np.pi, n), 0.92 * np.sqrt(rng.uniform(0, 1, n)))
    radii = 0.006 + 0.011 * rng.random(n) ** 1.5

    def paint(brush: Brush) -> None:
        for place, radius in zip(places, radii, strict=True):
            brush.dot(place, radius)

    dots = _softened(drawn(len(shape.body), paint), 0.0042)
    glow = np.clip(dots + np.float32(0.8) * _softened(dots, 0.012), 0, 1)
    blend(picture, CYST * daylight(case), glow * np.float32(0.9))


def vessels(case: Case, shape: Shape, picture: Picture) -> None:
    """Arborising vessels: sharp red trees, thick stems branching into fine twigs, over a pink blush."""
    rng = stream(case.seed, "vessels")
    branches: list[tuple[Points, float, float]] = []
    for start in rng.uniform(-np.pi, np.pi) + np.arange(4) * np.pi / 2 + rng.uniform(-0.5, 0.5, 4):
        root = shape.at(np.array([start]), 1.05)[0]
        target = shape.at(np.array([start + np.pi + rng.uniform(-0.5, 0.5)]), 0.4)[0]
        heading = float(np.arctan2(*(target - root)[::-1]))
        _grow(rng, branches, root, heading, shape.radius * rng.uniform(0.75, 1.0), 0.012)

    def paint(brush: Brush) -> None:
        for line, thick, thin in branches:
            brush.stroke(line, np.linspace(thick, thin, len(line)))

    mask, light = drawn(len(shape.body), paint), daylight(case)
    blush = np.clip(3 * _softened(mask, 0.02), 0, 1) * shape.body
    blend(picture, BLUSH * light, blush * np.float32(0.45))
    blend(picture, VESSEL * light, mask * np.float32(0.92))


def _grow(
    rng: np.random.Generator,
    branches: list[tuple[Points, float, float]],
    start: Points,
    heading: float,
    length: float,
    width: float,
) -> None:
    """Append one branch and, from points along it, its thinner daughters."""
    n = 14
    sway = 0.45 * np.sin(np.arange(n) * 0.9 + rng.uniform(0, 6))
    turns = heading + np.cumsum(rng.normal(0, 0.14, n)) + sway
    line = start + np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1) * length / n, axis=0)
    line = np.concatenate([start[None], line])
    branches.append((line, width, width * 0.3))
    if width < 0.0045:
        return
    for place in (4, 8, 12):
        side = float(turns[place]) + rng.choice((-1, 1)) * rng.uniform(0.5, 1.0)
        _grow(rng, branches, line[place], side, length * rng.uniform(0.4, 0.6), width * 0.55)


def _softened(mask: Field, reach: float) -> Field:
    return np.asarray(gaussian_filter(mask, reach * len(mask), truncate=2.5))
