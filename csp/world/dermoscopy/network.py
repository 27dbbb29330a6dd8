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
    edges = _mesh(rng, shape, rng.uniform(1 / 28, 1 / 23), 0.40)
    middle = shape.reach(edges[:, 1])
    values = 235 * np.clip((1.28 - middle) / 0.45, 0, 1) * rng.uniform(0.72, 1.0, len(edges))
    lines = _drawn(edges, rng.uniform(0.0055, 0.0075, len(edges)), values, len(shape.body), 0.0028)
    lines *= 1 + np.float32(0.3) * fractal(rng, len(shape.body), 6, 3)
    held = step(-0.25, 0.2, shape.depth)
    return np.float32(1.5) * lines, 1 - np.float32(0.45) * held


def atypical_network(case: Case, shape: Shape) -> tuple[Field, Field]:
    """(lines, holes) as `typical_network`; thick, broken, uneven lines that end abruptly."""
    rng = stream(case.seed, "atypical network")
    edges = _mesh(rng, shape, rng.uniform(1 / 19, 1 / 15), 0.66)
    middle = shape.reach(edges[:, 1])
    patch = _patches(rng, edges[:, 1])
    widths = rng.uniform(0.005, 0.010, len(edges)) + 0.011 * patch**2
    values = np.where(middle < 1.04, 110 + 145 * patch, 0) * (rng.random(len(edges)) > 0.08)
    lines = _drawn(edges, widths, values, len(shape.body), 0.0042)
    lines += np.float32(0.45) * np.asarray(gaussian_filter(lines, 0.012 * len(lines), truncate=2))
    lines *= 1 + np.float32(0.3) * fractal(rng, len(shape.body), 9, 4, 0.7)
    blots = step(0.5, 1.6, fractal(rng, len(shape.body), 6, 4, 0.7)) * shape.body
    return np.float32(1.75) * lines + np.float32(0.5) * blots, 1 - np.float32(0.5) * shape.body


def _mesh(rng: np.random.Generator, shape: Shape, period: float, jitter: float) -> NDArray[np.float64]:
    """Edges (n, 3, 2), bent in the middle, of cells around a jittered hexagonal lattice near the lesion."""
    n = int(3.2 * shape.radius / period)
    i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1))
    lattice = np.stack([i + 0.5 * (j % 2), j * 0.866], axis=-1).reshape(-1, 2) * period
    lattice = lattice[np.hypot(*lattice.T) < 1.55 * shape.radius]
    lattice = lattice + rng.normal(0, jitter * period / 2, lattice.shape)
    cells = Voronoi(shape.centre + lattice)
    ridges = np.array([ridge for ridge in cells.ridge_vertices if ridge[0] >= 0])
    ends = cells.vertices[ridges]
    ends = ends[np.hypot(*(ends[:, 0] - ends[:, 1]).T) < 2.5 * period]
    middle = ends.mean(axis=1) + rng.normal(0, 0.07 * period, (len(ends), 2))
    edges = np.stack([ends[:, 0], middle, ends[:, 1]], axis=1)
    return np.asarray(edges + 0.38 * period * _drift(rng, edges / period))


def _drift(rng: np.random.Generator, places: Points) -> Points:
    """A slow shift of every place (in periods), which bends the lattice so that no row runs straight."""
    total = np.zeros_like(places)
    for _ in range(5):
        wave, push = rng.normal(0, 0.55, 2), rng.normal(0, 0.5, 2)
        total += np.cos(places @ wave + rng.uniform(0, 2 * np.pi))[..., None] * push
    return total


def _patches(rng: np.random.Generator, places: Points) -> NDArray[np.float64]:
    """0 to 1 over the picture, in slow waves: where an uneven network is heavy and where it is thin."""
    total = np.zeros(len(places))
    for _ in range(4):
        wave = rng.normal(0, 9, 2)
        total += np.cos(places @ wave + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(0.5 + 0.4 * total, 0, 1))


def _drawn(
    edges: NDArray[np.float64],
    widths: NDArray[np.float64],
    values: NDArray[np.float64],
    size: int,
    soft: float,
) -> Field:
    """The lines of given width and strength (0 to 255), softened as if seen through the epidermis."""
    order = np.argsort(values)[np.count_nonzero(values < 8) :]

    def paint(brush: Brush) -> None:
        brush.lines(edges[order], widths[order], values[order])

    return np.asarray(gaussian_filter(drawn(size, paint), soft * size, truncate=2.5))
