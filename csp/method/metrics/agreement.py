"""How far reviewers agree beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Agreement:
    """Chance-corrected agreement over `n` subjects; NaN where it is not defined."""

    kappa: float
    """1: always agree; 0: as often as by chance; below 0: less often."""
    observed: float
    """Share of agreeing pairs, in [0, 1]."""
    expected: float
    """The share that chance alone would give."""
    n: int


def cohen_kappa(left: Sequence[str], right: Sequence[str]) -> Agreement:
    """Agreement of two raters on the same subjects (Cohen 1960).

    kappa = (p_o - p_e) / (1 - p_e), p_o = share of equal ratings, p_e = sum_j p_left(j) p_right(j).
    NaN without subjects, and where both gave one and the same rating throughout. Lengths that differ raise
    ValueError.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} ratings can't be of the same subjects")
    if not left:
        return _agreement(float("nan"), float("nan"), 0)
    categories = sorted({*left, *right})
    one, two = (np.array([categories.index(rating) for rating in ratings]) for ratings in (left, right))
    shares = [np.bincount(ratings, minlength=len(categories)) / len(ratings) for ratings in (one, two)]
    return _agreement(float((one == two).mean()), float(shares[0] @ shares[1]), len(left))


def fleiss_kappa(counts: Int[np.ndarray, "subjects categories"]) -> Agreement:
    """Agreement of many raters (Fleiss 1971); `counts[i, j]` raters put subject i into category j.

    P_i = sum_j n_ij (n_ij - 1) / (n_i (n_i - 1)), p_o = mean_i P_i, p_e = sum_j p_j^2, p_j = the share of all
    ratings that are j. Subjects may have different numbers of raters; those with fewer than two don't count.
    NaN without subjects, and where all ratings are one category.
    """
    raters = counts.sum(axis=1)
    counts, raters = counts[raters > 1], raters[raters > 1]
    if len(counts) == 0:
        return _agreement(float("nan"), float("nan"), 0)
    pairs = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    shares = counts.sum(axis=0) / raters.sum()
    return _agreement(float(pairs.mean()), float(shares @ shares), len(counts))


def _agreement(observed: float, expected: float, n: int) -> Agreement:
    beyond = 1 - expected
    kappa = (observed - expected) / beyond if beyond > 1e-12 else float("nan")
    return Agreement(kappa, observed, expected, n)
