"""Where the lesion lies and how it is outlined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.brush import Points
from csp.world.dermoscopy.noise import Field, fractal, step, stream, stretched

ANGLES = np.linspace(-np.pi, np.pi, 1441)


@dataclass(frozen=True)
class Shape:
    """A lesion outline, as a centre and a radius for every angle, and the fields that follow from it.

    `x`, `y` are the lesion's own axes (the edge is near 1); `u`, `v` the same, folded about the axes of
    symmetry, so that what is placed by them is as symmetric as the outline.
    `depth` is 0 on the edge, 1 at the centre, negative outside. `body` is 1 inside, 0 outside.
    """

    centre: Points
    radius: float
    aspect: float
    turn: float
    outline: NDArray[np.float64]  # (1441,) radius over `radius`, for ANGLES in the lesion's own axes
    x: Field
    y: Field
    u: Field
    v: Field
    depth: Field
    body: Field

    def at(self, angle: NDArray[np.floating], reach: NDArray[np.floating] | float) -> Points:
        """Picture positions (n, 2) at `angle` in lesion axes, `reach` 0 at the centre and 1 on the edge."""
        rho = self.radius * reach * np.interp(np.angle(np.exp(1j * angle)), ANGLES, self.outline)
        x, y = rho * np.cos(angle), rho * np.sin(angle) * self.aspect
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return np.asarray(self.centre + np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1))

    def reach(self, points: Points) -> NDArray[np.float64]:
        """How far out picture positions (n, 2) lie: 0 at the centre, 1 on the edge."""
        dx, dy = (points - self.centre).T
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        x, y = (cos * dx + sin * dy) / self.radius, (cos * dy - sin * dx) / self.radius / self.aspect
        return np.asarray(np.hypot(x, y) / np.interp(np.arctan2(y, x), ANGLES, self.outline))


def lesion_shape(case: Case, size: int) -> Shape:
    """The outline of the case's lesion."""
    rng = stream(case.seed, "shape")
    centre = 0.5 + rng.uniform(-0.06, 0.06, 2)
    radius, aspect, turn = rng.uniform(0.24, 0.40), rng.uniform(0.75, 1.0), rng.uniform(-np.pi, np.pi)
    outline = _outline(case)
    x, y = _lesion_axes(size, centre, turn)
    x, y = x / np.float32(radius), y / np.float32(radius * aspect)
    coarse = _lesion_axes((size + 1) // 2, centre, turn)  # the outline is smooth: half the size is enough
    far_out = _how_far_out(coarse[0] / np.float32(radius), coarse[1] / np.float32(radius * aspect), outline)
    depth = _wobble(case, size) + 1 - stretched(far_out, size)
    soft = 0.08 if case.irregular_border else 0.17
    u, v = _folded(case.asymmetry, x, y)
    return Shape(centre, radius, aspect, turn, outline, x, y, u, v, depth, step(-soft, 0.9 * soft, depth))


def _how_far_out(x: Field, y: Field, outline: NDArray[np.float64]) -> Field:
    """0 at the centre, 1 on the edge."""
    turns = (np.arctan2(y, x) + np.float32(np.pi)) / np.float32(2 * np.pi)
    edge = outline.astype(np.float32)[np.rint(turns * (len(ANGLES) - 1)).astype(np.intp)]
    return np.asarray(np.hypot(x, y) / edge, dtype=np.float32)


def _lesion_axes(size: int, centre: Points, turn: float) -> tuple[Field, Field]:
    across = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    dx, dy = across[None, :] - np.float32(centre[0]), across[:, None] - np.float32(centre[1])
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return cos * dx + sin * dy, cos * dy - sin * dx


def _folded(asymmetry: int, x: Field, y: Field) -> tuple[Field, Field]:
    """Both axes folded for a symmetric lesion, one for one axis of asymmetry, none for two."""
    return (np.abs(x) if asymmetry == 0 else x), (np.abs(y) if asymmetry < 2 else y)


def _outline(case: Case) -> NDArray[np.float64]:
    """Even cosines keep both axes of symmetry, odd cosines one, sines none."""
    rng = stream(case.seed, "outline")
    oval, square = 0.05 * rng.standard_normal(), 0.03 * rng.standard_normal()
    even = oval * np.cos(2 * ANGLES) + square * np.cos(4 * ANGLES)
    odd = rng.uniform(0.15, 0.24) * np.cos(ANGLES) + rng.uniform(0.10, 0.18) * np.cos(3 * ANGLES)
    skew = rng.uniform(0.1, 0.18) * np.sin(2 * ANGLES + rng.uniform(0, 1)) + 0.1 * np.sin(3 * ANGLES)
    outline = 1 + even + odd * (case.asymmetry > 0) + skew * (case.asymmetry > 1)
    if case.irregular_border:
        outline = outline + _notches(stream(case.seed, "notches"))
    return np.asarray(np.clip(outline, 0.45, 1.4))


def _notches(rng: np.random.Generator) -> NDArray[np.float64]:
    waves = np.zeros_like(ANGLES)
    for k in range(5, 15):
        height = rng.standard_normal() * 0.042 * (6 / k) ** 0.6
        waves += height * np.cos(k * ANGLES + rng.uniform(0, 2 * np.pi))
    return waves


def _wobble(case: Case, size: int) -> Field:
    """What keeps a border from being a drawn line: little for a regular border, ragged otherwise."""
    amount = 0.12 if case.irregular_border else 0.045
    return np.float32(amount) * fractal(stream(case.seed, "wobble"), size, 7, 4, 0.66)
