"""What does not belong to the skin: hair, ruler, gel bubbles, ink, stickers, the edge of the lens."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.brush import Brush, Points, curve, drawn
from csp.world.dermoscopy.noise import Field, Picture, blend, fractal, rgb, shaded, smooth, step, stream
from csp.world.dermoscopy.shape import Shape

HAIR = np.array(((0.14, 0.08, 0.06), (0.28, 0.16, 0.10), (0.09, 0.07, 0.07)), dtype=np.float32)
INK = np.array(((0.27, 0.16, 0.55), (0.16, 0.20, 0.62), (0.36, 0.14, 0.52)), dtype=np.float32)
STICKERS = np.array(
    ((0.95, 0.80, 0.18), (0.20, 0.62, 0.35), (0.18, 0.40, 0.78), (0.95, 0.50, 0.13), (0.85, 0.17, 0.20)),
    dtype=np.float32,
)


def ink(case: Case, shape: Shape, picture: Picture) -> None:
    """Surgical marker: dots and short strokes of purple or blue around the lesion."""
    rng = stream(case.seed, "ink")
    size = picture.shape[1]
    n = int(rng.integers(3, 6))
    angles = rng.uniform(-np.pi, np.pi) + np.arange(n) * 2 * np.pi / n + rng.uniform(-0.3, 0.3, n)
    marks = shape.at(angles, 1.0)
    outward = (marks - shape.centre) / np.linalg.norm(marks - shape.centre, axis=1, keepdims=True)
    marks = marks + outward * rng.uniform(0.05, 0.11, (n, 1))
    along = np.stack([-outward[:, 1], outward[:, 0]], axis=1) * rng.uniform(0.0, 0.10, (n, 1))
    bend, tilt = outward * rng.uniform(-0.03, 0.03, (n, 1)), outward * rng.uniform(-0.02, 0.02, (n, 1))
    along = along + tilt
    pressure = 0.034 + 0.007 * np.cumsum(rng.normal(0, 0.35, (n, 24)), axis=1).clip(-1.5, 1.5)

    def paint(brush: Brush) -> None:
        for mark, half, pull, widths in zip(marks, along, bend, pressure, strict=True):
            brush.stroke(curve(mark - half, mark + pull, mark + half), widths)
            brush.dot(mark - half, widths[0] / 2)
            brush.dot(mark + half, widths[-1] / 2)

    mask = np.asarray(gaussian_filter(drawn(size, paint), 0.003 * size, truncate=2.5))
    dry = np.clip(0.8 + 0.3 * fractal(rng, size, 30, 3, 0.8), 0.2, 1)
    blend(picture, INK[rng.integers(len(INK))], mask * dry * np.float32(0.85))


def hairs(case: Case, picture: Picture) -> None:
    """Long thin dark curves across everything, each with a faint shadow."""
    rng = stream(case.seed, "hairs")
    size = picture.shape[1]
    lean, stray = rng.uniform(0, np.pi), rng.uniform(0.3, 1.0)
    n = int(rng.integers(8, 17))
    middles, angles = rng.uniform(0.1, 0.9, (n, 2)), lean + rng.normal(0, stray, n)
    lengths, bends, widths = rng.uniform(0.35, 1.1, n), rng.normal(0, 0.2, n), rng.uniform(0.0038, 0.0072, n)
    values = rng.integers(195, 256, n)

    def paint(brush: Brush) -> None:
        for middle, angle, length, bend, width, value in zip(
            middles, angles, lengths, bends, widths, values, strict=True
        ):
            half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
            pull = middle + np.array([-half[1], half[0]]) * 2 * bend / length
            line = curve(middle - half, pull, middle + half)
            brush.stroke(line, width * (1 - 0.65 * np.linspace(0, 1, len(line)) ** 2), int(value))

    mask = drawn(size, paint)
    shadow = np.asarray(gaussian_filter(shift(mask, 0.006 * size, order=1), 0.004 * size, truncate=2.5))
    picture *= 1 - np.float32(0.22) * shadow
    blend(picture, HAIR[rng.integers(len(HAIR))], mask * np.float32(0.9))


def gel_bubbles(case: Case, picture: Picture) -> None:
    """Bubbles in the immersion gel: round, dark-rimmed, with a bright crescent and a highlight."""
    rng = stream(case.seed, "gel bubbles")
    size = picture.shape[1]
    n = int(rng.integers(7, 13))
    places, radii = rng.uniform(0.04, 0.96, (n, 2)), 0.020 + 0.050 * rng.random(n) ** 2
    tilt = rng.uniform(0, 360)

    def rims(brush: Brush) -> None:
        for place, radius in zip(places, radii, strict=True):
            brush.ring(place, radius, 0.006)

    def shine(brush: Brush) -> None:
        for place, radius in zip(places, radii, strict=True):
            brush.ring(place, radius * 0.82, 0.006, (tilt, tilt + 130))
            brush.ring(place, radius * 0.82, 0.004, (tilt + 200, tilt + 250))
            glint = np.array([np.cos(np.radians(tilt + 65)), np.sin(np.radians(tilt + 65))])
            brush.dot(place + glint * radius * 0.45, radius * 0.16)

    picture *= 1 - np.float32(0.55) * drawn(size, rims)
    blend(picture, rgb(1, 1, 1), drawn(size, shine) * np.float32(0.85))


def ruler(case: Case, picture: Picture) -> None:
    """Black graduation along one edge: minor and major ticks, and numbers at the major ones."""
    rng = stream(case.seed, "ruler")
    size = picture.shape[1]
    edge, step_size = int(rng.integers(4)), rng.uniform(0.034, 0.046)
    offset, first, inset = rng.uniform(0, 0.05), int(rng.integers(1, 9)), rng.uniform(0.0, 0.03)

    def place(along: float, away: float) -> Points:
        x, y = ((along, away), (along, 1 - away), (away, along), (1 - away, along))[edge]
        return np.array([x, y])

    def paint(brush: Brush) -> None:
        brush.line(np.stack([place(0, inset), place(1, inset)]), 0.004)
        for count in range(int(1 / step_size) + 1):
            along, major = offset + count * step_size, count % 5 == 0
            long, wide = (0.085, 0.008) if major else (0.048, 0.0055)
            brush.line(np.stack([place(along, inset), place(along, inset + long)]), wide)
            if major:
                brush.text(place(along, inset + 0.115), str(first + count // 5), 0.05)

    blend(picture, rgb(0.06, 0.06, 0.07), drawn(size, paint) * np.float32(0.92))


def sticker(case: Case, shape: Shape, picture: Picture) -> None:
    """A large coloured round sticker, partly cut off by the picture's edge, on the side with most room."""
    rng = stream(case.seed, "sticker")
    size = picture.shape[1]
    corner = np.where(shape.centre > 0.5, 0.0, 1.0)
    corner = corner if rng.random() < 0.7 else np.array([corner[0], 1 - corner[1]])
    radius = rng.uniform(0.24, 0.32)
    centre = corner + (0.5 - corner) * 2 * rng.uniform(-0.02, 0.08, 2)
    away = _distance(size, centre)
    shadow = 1 - step(radius - 0.01, radius + 0.025, away)
    picture *= 1 - np.float32(0.3) * shadow
    paper = 1 + 0.012 * fractal(rng, size, 30, 2) + 0.05 * smooth(rng, size, 2)
    tint = shaded(STICKERS[rng.integers(len(STICKERS))], paper)
    blend(picture, tint, 1 - step(radius - 0.004, radius + 0.004, away))


def dark_corners(case: Case, picture: Picture) -> None:
    """The round edge of the lens: black outside the circle."""
    rng = stream(case.seed, "dark corners")
    size = picture.shape[1]
    centre, radius, soft = 0.5 + rng.uniform(-0.03, 0.03, 2), rng.uniform(0.50, 0.62), rng.uniform(0.01, 0.05)
    picture *= 1 - np.float32(0.97) * step(radius - soft, radius + soft, _distance(size, centre))


def _distance(size: int, centre: Points) -> Field:
    """How far every pixel lies from `centre`, in picture widths."""
    across = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    dx, dy = across[None, :] - np.float32(centre[0]), across[:, None] - np.float32(centre[1])
    return np.asarray(np.hypot(dx, dy), dtype=np.float32)
