"""How unlike a picture is to all pictures of a set, measured by how unlike these are to each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

MOST = 2000
"""So many pictures of a large set stand for all, drawn by chance: distances need their square."""
RIDGE = 0.01
SEED = 0


@dataclass(frozen=True, eq=False)
class ProbeSpace:
    """A set of pictures as points of a space in which all directions vary about alike."""

    mean: Float64[np.ndarray, " d"]
    axes: Float64[np.ndarray, "d d"]
    points: Float64[np.ndarray, "n d"]
    own: Float64[np.ndarray, " n"]
    """Squared distance of each point to the nearest other one."""

    def unlikeness(self, point: Float[np.ndarray, " d"]) -> float:
        """The share of the set that lies nearer to another of the set than `point` does to any, in [0, 1].

        NaN for a set of fewer than three pictures.
        """
        if len(self.own) < 3:
            return float("nan")
        there = (np.nan_to_num(point.astype(np.float64)) - self.mean) @ self.axes
        return float((self.own < _squared(there[None], self.points).min()).mean())


def probe_space(points: Float[np.ndarray, "n d"]) -> ProbeSpace:
    """The space of a set: whitened, z = (x - mean) U (L + 0.01 mean(L))^-1/2 for the covariance U L U^T.

    What a picture shows that no picture of the set does lies mostly in directions in which the set hardly
    varies (Lee et al. 2018, 1807.03888: Mahalanobis distance); bare distances overlook them.
    """
    chosen = np.nan_to_num(points[drawn(len(points))].astype(np.float64))
    mean = chosen.mean(axis=0)
    variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(chosen.T, bias=True)))
    variances = np.maximum(variances, 0.0)
    floor = RIDGE * variances.mean() or 1.0
    axes = directions / np.sqrt(variances + floor)
    white = (chosen - mean) @ axes
    apart = _squared(white, white)
    np.fill_diagonal(apart, np.inf)
    return ProbeSpace(mean, axes, white, apart.min(axis=1))


def drawn(count: int) -> Int64[np.ndarray, " m"]:
    """Which of so many points stand for all; all where they are few."""
    if count <= MOST:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, MOST, replace=False))


def _squared(
    left: Float64[np.ndarray, "a d"], right: Float64[np.ndarray, "b d"]
) -> Float64[np.ndarray, "a b"]:
    """Squared distances of all pairs."""
    lengths = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    found: Float64[np.ndarray, "a b"] = np.maximum(lengths - 2 * left @ right.T, 0.0)
    return found
