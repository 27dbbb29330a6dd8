"""Pigment network: a honeycomb of brown lines around paler holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import Voronoi

from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.brush import Brush, Points, drawn
from csp.world.dermoscopy.noise import Field, fractal, step, stream
from csp.world.dermoscopy.shape import Shape


def typical_network(case: Case, shape: Shape) -> tuple[Field, Field]:
    """(lines, holes): melanin to add, and the share of the ground pigment that is left in the holes.

    Thin, even lines; round, even holes; fading out at the edge.
    """
    rng = stream(case.seed, "typical network")
    ends = _mesh(rng, shape, rng.uniform(1 / 27, 1 / 23), 0.22)
    middle = shape.reach(ends.mean(axis=1))
    values = np.clip(255 * (1.25 - middle) / 0.4, 0, 235)
    lines = _drawn(ends, np.full(len(ends), 0.0062), values, len(shape.body))
    held = step(-0.25, 0.2, shape.depth)
    return np.float32(1.15) * lines, 1 - np.float32(0.4) * held


def atypical_network(case: Case, shape: Shape) -> tuple[Field, Field]:
    """(lines, holes) as `typical_network`; thick, broken, uneven lines that end abruptly."""
    rng = stream(case.seed, "atypical network")
    ends = _mesh(rng, shape, rng.uniform(1 / 19, 1 / 16), 0.62)
    middle = shape.reach(ends.mean(axis=1))
    patch = _patches(rng, ends.mean(axis=1))
    widths = rng.uniform(0.006, 0.011, len(ends)) + 0.009 * patch
    values = np.where(middle < 1.03, 140 + 115 * patch, 0) * (rng.random(len(ends)) > 0.14)
    lines = _drawn(ends, widths, values, len(shape.body))
    blots = step(0.6, 1.4, fractal(rng, len(shape.body), 5, 3)) * shape.body
    return np.float32(1.7) * lines + np.float32(0.35) * blots, 1 - np.float32(0.45) * shape.body


def _mesh(rng: np.random.Generator, shape: Shape, period: float, jitter: float) -> NDArray[np.float64]:
    """Edges (n, 2, 2) of the cells around a jittered hexagonal lattice, near the lesion."""
    n = int(3.2 * shape.radius / period)
    i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1))
    lattice = np.stack([i + 0.5 * (j % 2), j * 0.866], axis=-1).reshape(-1, 2) * period
    lattice = lattice[np.hypot(*lattice.T) < 1.55 * shape.radius]
    lattice = lattice + rng.normal(0, jitter * period / 2, lattice.shape)
    cells = Voronoi(shape.centre + lattice)
    ridges = np.array([ridge for ridge in cells.ridge_vertices if ridge[0] >= 0])
    ends = cells.vertices[ridges]
    return np.asarray(ends[np.hypot(*(ends[:, 0] - ends[:, 1]).T) < 2.5 * period])


def _patches(rng: np.random.Generator, places: Points) -> NDArray[np.float64]:
    """0 to 1 over the picture, in slow waves: where an uneven network is heavy and where it is thin."""
    total = np.zeros(len(places))
    for _ in range(4):
        wave = rng.normal(0, 9, 2)
        total += np.cos(places @ wave + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(0.5 + 0.4 * total, 0, 1))


def _drawn(
    ends: NDArray[np.float64], widths: NDArray[np.float64], values: NDArray[np.float64], size: int
) -> Field:
    """The lines of given width and strength (0 to 255), softened as if seen through the epidermis."""
    order = np.argsort(values)

    def paint(brush: Brush) -> None:
        for which in order:
            if values[which] > 8:
                brush.line(ends[which], widths[which], int(values[which]))

    return np.asarray(gaussian_filter(drawn(size, paint), 0.0022 * size, truncate=2.5))
