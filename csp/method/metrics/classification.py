"""How good a classifier is on some images, over many resamples of the images at once.

All take `weights[b, n]`, how often each image counts in each of b resamples; one row of ones for the images
as they are. So a bootstrap interval of any of them costs one call (`bootstrap_weights` draws the weights).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from csp.method.metrics.statistics import auroc_matrix

SPECIFICITY = 0.9
"""At which the sensitivity is told."""
BINS = 10
HALF = 0.5


@dataclass(frozen=True, eq=False)
class Quality:
    """Of a classifier, one row a resample. NaN where the images can't tell: a class without images."""

    accuracy: Float64[np.ndarray, " b"]
    auroc: Float64[np.ndarray, "b classes"]
    """Of each class against the others."""
    sensitivity: Float64[np.ndarray, "b classes"]
    """Share of a class's images found where `SPECIFICITY` of the others are left alone."""
    calibration: Float64[np.ndarray, " b"]
    """Expected calibration error, 0 to 1, 0 the best."""


def quality(
    outputs: Float[np.ndarray, "n classes"],
    truth: Bool[np.ndarray, "n classes"],
    weights: Float[np.ndarray, "b n"] | None = None,
    *,
    independent: bool = False,
    chosen: Sequence[int] | None = None,
) -> Quality:
    """All four; `independent` labels are each right or wrong for themselves at 0.5, others at the greatest.

    `chosen` are the classes that AUROC and sensitivity are told of, all if left out.
    """
    places = range(outputs.shape[1]) if chosen is None else chosen
    if weights is None:
        weights = np.ones((1, len(outputs)))
    hits = right(outputs, truth, independent)
    columns = [roc(outputs[:, place], truth[:, place], weights) for place in places]
    return Quality(
        accuracy=_mean(hits, weights),
        auroc=np.stack([area for area, _ in columns], axis=1),
        sensitivity=np.stack([found for _, found in columns], axis=1),
        calibration=_calibration(outputs, truth, hits, weights, places if independent else None),
    )


def quality_of_each(
    outputs: Float[np.ndarray, "g n classes"],
    truth: Bool[np.ndarray, "n classes"],
    *,
    independent: bool = False,
    chosen: Sequence[int] | None = None,
) -> Quality:
    """The same of g classifiers on the images as they are, one row each: many times as fast as one by one."""
    places = range(outputs.shape[2]) if chosen is None else chosen
    ones = np.ones((1, len(truth)))
    hits = [right(each, truth, independent) for each in outputs]
    sure = [
        _calibration(each, truth, own, ones, places if independent else None)
        for each, own in zip(outputs, hits, strict=True)
    ]
    sides = [(outputs[:, :, place].T, truth[:, place]) for place in places]
    return Quality(
        accuracy=np.concatenate([_mean(own, ones) for own in hits]),
        auroc=np.stack([auroc_matrix(scores, is_it[:, None])[:, 0] for scores, is_it in sides], axis=1),
        sensitivity=np.stack([_sensitivities(scores, is_it) for scores, is_it in sides], axis=1),
        calibration=np.concatenate(sure),
    )


def _calibration(
    outputs: Float[np.ndarray, "n classes"],
    truth: Bool[np.ndarray, "n classes"],
    hits: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, "b n"],
    independent: Sequence[int] | None,
) -> Float64[np.ndarray, " b"]:
    """Of the class that is said, or the mean over these independent labels."""
    if independent is None:
        return calibration_error(outputs.max(axis=1) if len(outputs) else np.zeros(0), hits, weights)
    sides = [(outputs[:, place], truth[:, place].astype(np.float64)) for place in independent]
    mean: Float64[np.ndarray, " b"] = np.mean([calibration_error(*side, weights) for side in sides], axis=0)
    return mean


def _sensitivities(
    scores: Float[np.ndarray, "n g"], truth: Bool[np.ndarray, " n"]
) -> Float64[np.ndarray, " g"]:
    """As `roc` finds it, for each column: the share of positives above the first negative too many."""
    found: Float64[np.ndarray, " g"] = np.full(scores.shape[1], np.nan)
    others = int((~truth).sum())
    if not others or not truth.any():
        return found
    allowed = int((1 - SPECIFICITY) * others + 1e-9)
    first_too_many = np.sort(scores[~truth], axis=0)[others - 1 - allowed]
    found[:] = (scores[truth] > first_too_many).mean(axis=0)
    return found


def right(
    outputs: Float[np.ndarray, "n classes"], truth: Bool[np.ndarray, "n classes"], independent: bool = False
) -> Float64[np.ndarray, " n"]:
    """Whether each image is called rightly, 1 or 0; of independent labels the share that is."""
    if independent:
        shares: Float64[np.ndarray, " n"] = ((outputs >= HALF) == truth).mean(axis=1)
        return shares
    best = outputs.argmax(axis=1) if len(outputs) else np.zeros(0, dtype=np.int64)
    hits: Float64[np.ndarray, " n"] = truth[np.arange(len(truth)), best].astype(np.float64)
    return hits


def roc(
    scores: Float[np.ndarray, " n"], truth: Bool[np.ndarray, " n"], weights: Float[np.ndarray, "b n"]
) -> tuple[Float64[np.ndarray, " b"], Float64[np.ndarray, " b"]]:
    """AUROC, ties counted half, and the sensitivity at `SPECIFICITY`.

    Sensitivity: the greatest share of positives above a threshold that at most 1 - `SPECIFICITY` of the
    negatives reach. NaN without positives or negatives.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if len(scores) else np.zeros(0, int)
    drawn, positive = weights[:, order].astype(np.float64), truth[order]
    none = np.zeros((len(weights), 1))
    hits = np.concatenate([none, np.cumsum(drawn * positive, axis=1)[:, ends]], axis=1)
    false = np.concatenate([none, np.cumsum(drawn * ~positive, axis=1)[:, ends]], axis=1)
    positives, negatives = hits[:, -1:], false[:, -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, wrong = hits / positives, false / negatives
        area = ((rate[:, 1:] + rate[:, :-1]) / 2 * np.diff(wrong, axis=1)).sum(axis=1)
    allowed = wrong <= 1 - SPECIFICITY + 1e-12
    found = np.where(allowed, rate, 0.0).max(axis=1)
    tells = (positives[:, 0] > 0) & (negatives[:, 0] > 0)
    return np.where(tells, area, np.nan), np.where(tells, found, np.nan)


def calibration_error(
    sure: Float[np.ndarray, " n"], right: Float[np.ndarray, " n"], weights: Float[np.ndarray, "b n"]
) -> Float64[np.ndarray, " b"]:
    """Mean distance of how sure the model is and how often it is right, over `BINS` equal bins of sureness.

    ECE = sum_k |sum_{i in k} w_i (right_i - sure_i)| / sum_i w_i. Source: Guo et al. 2017, arXiv 1706.04599.
    """
    place = np.minimum((np.asarray(sure) * BINS).astype(np.int64), BINS - 1)
    gaps = (place[:, None] == np.arange(BINS)) * (np.asarray(right, np.float64) - sure)[:, None]
    total = weights.sum(axis=1)
    error = np.abs(weights @ gaps).sum(axis=1)
    return _ratio(error, total)


def _mean(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, "b n"]) -> Float64[np.ndarray, " b"]:
    return _ratio(weights @ values, weights.sum(axis=1))


def _ratio(part: Float[np.ndarray, " b"], whole: Float[np.ndarray, " b"]) -> Float64[np.ndarray, " b"]:
    found: Float64[np.ndarray, " b"] = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def decided(
    outputs: Float[np.ndarray, "n classes"],
    truth: Bool[np.ndarray, "n classes"],
    weights: Float[np.ndarray, "b n"],
    *,
    independent: bool = False,
) -> tuple[Float64[np.ndarray, "b classes"], Float64[np.ndarray, "b classes"]]:
    """Sensitivity and specificity of what the model says: the greatest output, or all from 0.5 on.

    Of each class against the others; NaN without an image of it, or without another.
    """
    said = outputs >= 0.5
    if not independent:
        said = outputs.argmax(axis=1)[:, None] == np.arange(outputs.shape[1])
    found: list[Float64[np.ndarray, "b classes"]] = []
    for right, whole in ((said & truth, truth), (~said & ~truth, ~truth)):
        counts = weights @ whole.astype(np.float64)
        share: Float64[np.ndarray, "b classes"] = np.full(counts.shape, np.nan)
        np.divide(weights @ right.astype(np.float64), counts, out=share, where=counts > 0)
        found.append(share)
    return found[0], found[1]
