"""Examples drawn again with replacement: what the bootstraps of labelers share."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.projection import VANISHED

RESAMPLES = 200

Draws = Int64[np.ndarray, "b k"]


def drawn(rng: np.random.Generator, n: int) -> Draws:
    """The resamplings: in each, n draws of n with replacement."""
    return rng.integers(n, size=(RESAMPLES, n))


def drawn_in_parts(rng: np.random.Generator, n: int, at_once: int) -> Iterator[Draws]:
    """The very same draws, at most `at_once` (and one resampling) at a time."""
    size = max(1, at_once // n)
    for start in range(0, RESAMPLES, size):
        yield rng.integers(n, size=(min(size, RESAMPLES - start), n))


def shares(draws: Draws, n: int) -> Float64[np.ndarray, "b n"]:
    """How often each of n was drawn, as a share of all draws."""
    counts = np.stack([np.bincount(row, minlength=n) for row in draws])
    shares: Float64[np.ndarray, "b n"] = counts / draws.shape[1]
    return shares


def example_weights(evidence: Evidence, rng: np.random.Generator) -> Float64[np.ndarray, "b k"]:
    """The weight of every example in every resampling: how often it was drawn, times how much it fires."""
    share, _ = drawn_examples(evidence, rng)
    positive = np.maximum(evidence.examples.activation.astype(np.float64), 0.0)
    weight: Float64[np.ndarray, "b k"] = share * (positive / max(positive.max(), 1e-300))
    return weight


def drawn_examples(
    evidence: Evidence, rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "b k"], Bool[np.ndarray, "b 1"]]:
    """The share of the draws that each example has in each resampling, and whether any of them fires."""
    activation = evidence.examples.activation
    share = shares(drawn(rng, len(activation)), len(activation))
    return share, (share @ (activation > 0) > 0)[:, None]


def cosines(
    weight: Float64[np.ndarray, "b k"],
    vectors: Float64[np.ndarray, "k d"],
    texts: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, "b t"]:
    """Cosines of normalise(weight @ vectors) to the texts, by way of the [k, t] and [k, k] products."""
    squared = np.einsum("bk,bk->b", weight @ (vectors @ vectors.T), weight)
    length = np.sqrt(np.maximum(squared, 0.0))[:, None]
    products = weight @ (vectors @ texts.T.astype(np.float64))
    total = weight.sum(axis=1, keepdims=True)
    return np.where(length > VANISHED * total, products / np.maximum(length, 1e-300), 0.0)
