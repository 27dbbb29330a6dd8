"""Directions and texts compared as the images vary: the measure by which consensus scores texts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

BLOCK = 1024
"""Texts that are held in double precision at a time."""
VANISHED = 1e-6
"""A direction or a text shorter than this holds rounding errors only, and is like nothing."""


@dataclass(frozen=True, eq=False)
class Whitened:
    """What is the same for all neurons of a run; o_t is a text less what the vocabulary has in common."""

    common: Float64[np.ndarray, " d"]
    """The mean of the vocabulary's embeddings."""
    metric: Float64[np.ndarray, "d d"]
    """P = (C / c + I)^-1 for the covariance C of the images and c its mean over the dimensions."""
    length: Float64[np.ndarray, " t"]
    """sqrt(o_t' P o_t + mean of the same over the vocabulary): texts that say little don't count as much."""
    spread: Float64[np.ndarray, " t"]
    """The same with the images' scatter matrix in the place of P."""

    def cosines(
        self, directions: Float[np.ndarray, "b d"], texts: Float[np.ndarray, "t d"]
    ) -> Float64[np.ndarray, "b t"]:
        """u' P o_t / (sqrt(u' P u) length_t) for each direction u; 0 where either has no length."""
        seen = directions.astype(np.float64) @ self.metric
        size = np.sqrt(np.maximum(np.einsum("bd,bd->b", seen, directions), 0.0))[:, None]
        seen /= np.where(size > VANISHED, size, np.inf)
        products = (texts @ seen.T.astype(texts.dtype)).T - (seen @ self.common)[:, None]
        found: Float64[np.ndarray, "b t"] = products / np.where(self.length > VANISHED, self.length, np.inf)
        return found


def whiten(
    scatter: Float64[np.ndarray, "d d"], texts: Float[np.ndarray, "t d"], vocabulary: int | None = None
) -> Whitened:
    """From the images' scatter matrix (`correlation.image_scatter`); at least one text.

    `vocabulary` as of `Evidence`.
    """
    common, metric = texts[:vocabulary].mean(axis=0, dtype=np.float64), image_metric(scatter)
    return Whitened(
        common,
        metric,
        _lengths(texts, common, metric, vocabulary),
        _lengths(texts, common, scatter, vocabulary),
    )


def image_metric(scatter: Float64[np.ndarray, "d d"], ridge: float = 1.0) -> Float64[np.ndarray, "d d"]:
    """`Whitened.metric`, from the images' scatter matrix or their covariance.

    Directions in which images vary much for any reason count less: Fisher's discriminant, with the covariance
    shrunk towards the same in all directions (Friedman 1989), halfway by a `ridge` of 1 in units of the mean
    variance of a dimension.
    """
    even, size = np.eye(len(scatter)), np.trace(scatter) / len(scatter)
    metric: Float64[np.ndarray, "d d"] = np.linalg.inv(scatter / size + ridge * even) if size > 0 else even
    return metric


def _lengths(
    texts: Float[np.ndarray, "t d"],
    common: Float64[np.ndarray, " d"],
    metric: Float64[np.ndarray, "d d"],
    vocabulary: int | None,
) -> Float64[np.ndarray, " t"]:
    squared = np.empty(len(texts))
    for start in range(0, len(texts), BLOCK):
        own = texts[start : start + BLOCK] - common
        squared[start : start + BLOCK] = np.einsum("td,td->t", own @ metric, own)
    found: Float64[np.ndarray, " t"] = np.sqrt(np.maximum(squared + squared[:vocabulary].mean(), 0.0))
    return found
