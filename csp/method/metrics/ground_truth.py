"""Known truth: which attribute a neuron really follows, and what a label is worth against it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.metrics.statistics import Interval, auroc_matrix, bootstrap_interval

CLEAR = 0.85
"""A neuron follows an attribute clearly when its AUROC for it, on held-out images, is at least this."""

RARE = 10
"""An attribute with fewer positive or negative images than this can't be judged."""


class Verdict(StrEnum):
    """What a label says, measured against the attribute that the neuron follows."""

    TRUE = "true"
    TOO_BROAD = "too-broad"
    OTHER_ATTRIBUTE = "other-attribute"
    NOTHING = "nothing"


def attribute_auroc(
    activations: Float[np.ndarray, "n c"], truth: Bool[np.ndarray, "n a"], rare: int = RARE
) -> Float[np.ndarray, "c a"]:
    """AUROC of every neuron for every attribute; NaN for attributes too rare (or too common) to be judged."""
    positives = truth.sum(axis=0)
    judged = np.minimum(positives, len(truth) - positives) >= rare
    return np.where(judged, auroc_matrix(activations, truth), np.nan)


@dataclass(frozen=True, eq=False)
class Intervention:
    """What one attribute does to c neurons when nothing else changes."""

    auroc: Float64[np.ndarray, " c"]
    """Chance that a neuron fires more on a case with the attribute than on one without, in [0, 1]."""
    change: Float64[np.ndarray, " c"]
    """Mean change in standard deviations, any size; NaN for a neuron that does not vary."""


def intervention(
    with_it: Float[np.ndarray, "p c"], without: Float[np.ndarray, "p c"], deviation: Float[np.ndarray, " c"]
) -> Intervention:
    """Compare neurons on the same p cases with and without an attribute.

    `deviation` is that of each neuron over the probe images. The AUROC is that of `attribute_auroc`, so that
    the same threshold holds: here the images with and without are the same but for the attribute, as under
    do(attribute) of Pearl (Causality, 2009).
    """
    truth = np.arange(2 * len(with_it))[:, None] < len(with_it)
    found = auroc_matrix(np.concatenate([with_it, without]), truth)[:, 0]
    change = (with_it.astype(np.float64) - without).mean(axis=0)
    known = deviation > 0
    return Intervention(found, np.where(known, change / np.where(known, deviation, 1), np.nan))


def true_attributes(auroc: Float[np.ndarray, "c a"], threshold: float = CLEAR) -> Int64[np.ndarray, " c"]:
    """The attribute of highest AUROC if that reaches the threshold, else -1; ties to the lower index."""
    if auroc.shape[1] == 0:
        return np.full(len(auroc), -1, dtype=np.int64)
    known = np.nan_to_num(auroc, nan=-np.inf)
    return np.where(known.max(axis=1) >= threshold, known.argmax(axis=1), -1)


def verdict(named: Collection[str], broad: bool, attribute: str) -> Verdict:
    """Judge a label that names the attributes `named`, for a neuron that truly follows `attribute`.

    A label that names it among others is true; failing that a broad term is too broad, a term that names
    something else is another attribute's, and a term that names nothing in this world is true of nothing.
    """
    if attribute in named:
        return Verdict.TRUE
    if broad:
        return Verdict.TOO_BROAD
    return Verdict.OTHER_ATTRIBUTE if named else Verdict.NOTHING


def shares(verdicts: Sequence[Verdict], rng: np.random.Generator) -> dict[Verdict, Interval]:
    """Share of the neurons with each verdict, with a bootstrap interval over neurons."""
    return {kind: bootstrap_interval(_indicator(verdicts, kind), rng) for kind in Verdict}


def paired_difference(
    left: Sequence[Verdict], right: Sequence[Verdict], rng: np.random.Generator, kind: Verdict = Verdict.TRUE
) -> Interval:
    """Share of `kind` of one labeler minus that of another on the same neurons, bootstrapped in pairs.

    The labelers differ beyond chance where the interval leaves 0 out.
    """
    return bootstrap_interval(_indicator(left, kind) - _indicator(right, kind), rng)


def _indicator(verdicts: Sequence[Verdict], kind: Verdict) -> Float[np.ndarray, " c"]:
    return np.array([found == kind for found in verdicts], dtype=np.float64)
