"""The colours of a lesion: brown and black pigment, and zones of red, white and blue-grey."""

from __future__ import annotations

import numpy as np

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.noise import Field, Picture, blend, fractal, rgb, shaded, step, stream
from csp.world.dermoscopy.shape import Shape
from csp.world.dermoscopy.skin import TONES

LIGHT, DARK, BLACK, FAINT = 0.60, 1.60, 5.2, 0.16  # melanin of each shade, in the units of skin.absorb

WHITE = rgb(0.96, 0.89, 0.85)
BLUE_GREY = rgb(0.40, 0.42, 0.49)


def melanin(case: Case, shape: Shape) -> Field:
    """Brown and black pigment of the lesion, before its structures."""
    size = len(shape.body)
    rng = stream(case.seed, "pigment")
    mottle = fractal(rng, size, 5, 4, 0.55)
    shade = _browns(case, shape, mottle)
    shade = shade * (1 + np.float32(0.17) * mottle) * (1 + _lopsided(case, shape))
    shade = shade * (1 + np.float32(0.085) * fractal(rng, size, 34, 3, 0.9))
    shade = shade * (np.float32(0.66) + np.float32(0.34) * step(0.0, 0.5, shape.depth))
    total = shape.body * shade
    if "black" in case.colours:
        total += shape.body * zone(case, shape, "black", 0.42) * np.float32(BLACK)
    return np.asarray(np.maximum(total, 0), dtype=np.float32)


def redness(case: Case, shape: Shape) -> Field:
    """0 to 1: where the lesion is milky red, with blood showing instead of pigment."""
    mottle = fractal(stream(case.seed, "red mottle"), len(shape.body), 14, 4, 0.7)
    patch = zone(case, shape, "red", 0.58) * step(-0.15, 0.12, shape.depth)
    return np.clip(patch * (np.float32(0.9) + np.float32(0.13) * mottle), 0, 1)


def zones(case: Case, shape: Shape, picture: Picture) -> None:
    """Lay the white and blue-grey zones over `picture`, in place."""
    light, size = daylight(case), len(shape.body)
    if "blue-grey" in case.colours:
        grain = 1 + 0.10 * fractal(stream(case.seed, "blue-grey grain"), size, 20, 3, 0.8)
        areas = _ovoids(case, shape) * shape.body * np.float32(0.85)
        blend(picture, shaded(BLUE_GREY * light, grain), areas)
    if "white" in case.colours:
        cloudy = np.clip(0.78 + 0.13 * fractal(stream(case.seed, "white cloud"), size, 14, 4, 0.7), 0, 1)
        blend(picture, WHITE * light, zone(case, shape, "white", 0.40) * shape.body * cloudy)


def daylight(case: Case) -> np.float32:
    """How bright what lies in or on the skin looks: the same zone is darker in darker skin."""
    return np.float32(0.45 + 0.55 * TONES[case.skin_tone - 1].mean() / TONES[1].mean())


def zone(case: Case, shape: Shape, name: str, extent: float, soft: float = 0.2) -> Field:
    """A patch of the lesion, about `extent` of its radius and as symmetric, with a rim as wide as `soft`."""
    rng = stream(case.seed, f"zone {name}")
    angle, away = PLACES[name]
    angle += stream(case.seed, "zones").uniform(0, 2 * np.pi) + rng.uniform(-0.4, 0.4)
    away = rng.uniform(0.3, 0.5) if case.asymmetry else away + rng.uniform(-0.1, 0.1)
    mirrored = 1 if case.asymmetry else 1 - 0.7 * away  # mirror images add to the area, so each is smaller
    extent *= rng.uniform(0.9, 1.15) * mirrored
    u = shape.u - np.float32(abs(away * np.cos(angle)) if case.asymmetry == 0 else away * np.cos(angle))
    v = shape.v - np.float32(abs(away * np.sin(angle)) if case.asymmetry < 2 else away * np.sin(angle))
    ragged = 0.12 * fractal(rng, len(shape.body), 6, 4, 0.62)
    return step(-soft, soft, np.float32(extent) - np.hypot(u, v) + ragged)


# Where zones lie, so that they do not hide one another: the direction if the lesion is asymmetric, and the
# distance from the centre if it is symmetric (the zone then lies around the centre, mirrored).
PLACES: dict[str, tuple[float, float]] = {
    "black": (0.0, 0.45),
    "white": (1.3, 0.4),
    "red": (2.4, 0.2),
    "veil": (3.6, 0.1),
    "regression": (4.9, 0.45),
}


def _browns(case: Case, shape: Shape, mottle: Field) -> Field:
    both = {"light brown", "dark brown"} <= case.colours
    if not both:
        level = LIGHT if "light brown" in case.colours else DARK if "dark brown" in case.colours else FAINT
        vary = stream(case.seed, "shade").uniform(0.85, 1.2)
        return np.full_like(shape.body, level * vary)
    rng = stream(case.seed, "two browns")
    u, v = shape.u - np.float32(rng.uniform(0, 0.4)), shape.v - np.float32(rng.uniform(0, 0.4))
    dark = step(-0.22, 0.22, np.float32(rng.uniform(0.42, 0.58)) - np.hypot(u, v) + 0.14 * mottle)
    return np.float32(LIGHT) + np.float32(DARK - LIGHT + 0.15) * dark


def _lopsided(case: Case, shape: Shape) -> Field:
    """Pigment heavier on one side, for as many axes as the lesion is asymmetric about."""
    rng = stream(case.seed, "lopsided")
    a, b = rng.uniform(0.3, 0.5, 2)
    tilt = np.zeros_like(shape.u)
    if case.asymmetry > 0:
        tilt = np.float32(a) * shape.u
    if case.asymmetry > 1:
        tilt = tilt + np.float32(b) * shape.v
    return np.clip(tilt, -0.6, 0.6)


def _ovoids(case: Case, shape: Shape) -> Field:
    """Blue-grey ovoid areas, scattered without regard to symmetry."""
    rng = stream(case.seed, "ovoids")
    size = len(shape.body)
    total = np.zeros_like(shape.body)
    bend = np.float32(0.06) * fractal(rng, size, 7, 3, 0.6)
    x, y = shape.x, shape.y
    for _ in range(int(rng.integers(4, 7))):
        angle, away, long = rng.uniform(-np.pi, np.pi), rng.uniform(0.1, 0.65), rng.uniform(0.2, 0.34)
        du, dv = x - np.float32(away * np.cos(angle)), y - np.float32(away * np.sin(angle))
        lean = rng.uniform(0, np.pi)
        p = np.float32(np.cos(lean)) * du + np.float32(np.sin(lean)) * dv
        q = np.float32(np.cos(lean)) * dv - np.float32(np.sin(lean)) * du
        inside = np.float32(long) - np.hypot(p, np.float32(1.5) * q) + bend
        total = np.maximum(total, step(-0.15, 0.13, inside))
    return total
