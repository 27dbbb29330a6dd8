"""Numbers that judge labels and neurons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.stats import rankdata


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval over `n` values; NaN throughout when n is 0."""

    value: float
    low: float
    high: float
    n: int


def simulation_correlation(
    activations: Float[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    text_embedding: Float[np.ndarray, " d"],
) -> float:
    """How well a label predicts the activations: Pearson correlation of a_i and e_i . t, in [-1, 1].

    Higher is better, 0 is chance. Over the images with a finite activation; NaN when either side does not
    vary. Source: arXiv 2604.22477 (there SCS), after Bills et al. 2023.
    """
    finite = np.isfinite(activations)
    return pearson(activations[finite], embeddings[finite] @ text_embedding)


def pearson(left: Float[np.ndarray, " n"], right: Float[np.ndarray, " n"]) -> float:
    """Pearson correlation in float64, in [-1, 1]; NaN when either side does not vary."""
    if len(left) == 0 or left.min() == left.max() or right.min() == right.max():
        return float("nan")
    x = left.astype(np.float64) - left.mean(dtype=np.float64)
    y = right.astype(np.float64) - right.mean(dtype=np.float64)
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def auroc(scores: Float[np.ndarray, " n"], truth: Bool[np.ndarray, " n"]) -> float:
    """Chance that a positive scores higher than a negative, ties counted half; see `auroc_matrix`."""
    return float(auroc_matrix(scores[:, None], truth[:, None])[0, 0])


def auroc_matrix(
    activations: Float[np.ndarray, "n c"], truth: Bool[np.ndarray, "n a"]
) -> Float64[np.ndarray, "c a"]:
    """AUROC of every neuron for every attribute, in [0, 1], by the rank sum of the positives (Mann-Whitney).

    AUROC = (sum of the positives' ranks - P (P + 1) / 2) / (P N), ranks of ties averaged. NaN where an
    attribute has no positive or no negative, and for a neuron with a NaN activation.
    """
    ranks = rankdata(activations, axis=0)  # (n, c)
    positives = truth.sum(axis=0, dtype=np.float64)  # (a,)
    pairs = positives * (len(truth) - positives)
    wins = ranks.T @ truth.astype(np.float64) - positives * (positives + 1) / 2
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), np.nan)


_DRAWN_AT_ONCE = 1 << 20


def bootstrap_interval(
    values: Float[np.ndarray, " n"], rng: np.random.Generator, *, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """Mean of `values` with its percentile bootstrap interval, values drawn again with replacement."""
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    at_once = max(1, _DRAWN_AT_ONCE // n)
    drawn = [min(at_once, resamples - start) for start in range(0, resamples, at_once)]
    means = np.concatenate([rng.choice(values, (some, n)).mean(axis=1) for some in drawn])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high), n)


@dataclass(frozen=True)
class Stratum:
    """A part of a population, and what a random sample of it held: `hits` among the `drawn`."""

    size: int
    drawn: int
    hits: int


def stratified_rate(strata: Sequence[Stratum]) -> Interval:
    """Share of hits in a population from random samples of its parts, with its 95 % interval, in [0, 1].

    p = sum_h W_h p_h, W_h the size of part h over that of all parts that were sampled. The interval is
    Wilson's (1927) for p at the effective number n = 1 / sum_h (W_h^2 / n_h) (Kish 1965), each n_h raised by
    the finite-population factor (N_h - 1) / (N_h - n_h): who looked at everything knows the share. `n` of the
    answer is the number drawn; NaN throughout when that is 0.
    """
    sampled = [one for one in strata if one.drawn]
    drawn, size = sum(one.drawn for one in sampled), sum(one.size for one in sampled)
    if not drawn:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    rate = min(1.0, sum(one.size / size * one.hits / one.drawn for one in sampled))
    unknown = sum(
        (one.size / size) ** 2 / one.drawn * (one.size - one.drawn) / max(one.size - 1, 1) for one in sampled
    )
    z2 = 1.96**2 * unknown  # z squared over the effective number
    middle, half = rate + z2 / 2, np.sqrt(z2 * rate * (1 - rate) + z2**2 / 4)
    low, high = (middle - half) / (1 + z2), (middle + half) / (1 + z2)
    return Interval(rate, min(max(0.0, float(low)), rate), max(min(1.0, float(high)), rate), drawn)


def correlation_interval(value: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a Pearson correlation of n pairs, in [-1, 1]: tanh(atanh r -+ 1.96 / sqrt(n - 3)).

    NaN for fewer than four pairs. Source: Fisher 1921; exact for normal pairs, a guide for others.
    """
    if n < 4 or not np.isfinite(value):
        return float("nan"), float("nan")
    middle, half = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12)), 1.96 / np.sqrt(n - 3)
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))
