"""What is known of a neuron's first label without any truth: the facts that its chance is worked out from.

encoded = Encoded(embeddings, text_embeddings, selection)        # shared by all neurons of a run
facts = layer_facts(encoded, activations, labelled)              # [neurons, `FACTS`]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.examples.select import Examples
from csp.method.labelers.projection import weights

SAME = 0.9
"""Texts mean the same when their embeddings, or their cosines to the images, are this alike."""
LEAST_LEAD = 1e-3
RIDGE = 0.3
"""Of the mean variance of the embeddings: what the ridge regression adds to each direction."""
BLOCK = 256
"""Neurons whose activations are multiplied with the embeddings at once."""
TINY = 1e-12


FACTS = (
    "lead",
    "further lead",
    "likeness",
    "agreement",
    "steadiness",
    "held-out lead",
    "separation",
    "signal",
    "lead of the layer",
)
"""What the model looks at; `_facts` says what each is."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the encoder shows of a run: the same for all its neurons."""

    embeddings: Float[np.ndarray, "n d"]
    texts: Float[np.ndarray, "t d"]
    selection: Bool[np.ndarray, " n"] | None
    """The images that chose the labels; None: all."""

    @cached_property
    def chose(self) -> Bool[np.ndarray, " n"]:
        """The images that chose the labels."""
        return np.ones(len(self.embeddings), dtype=bool) if self.selection is None else self.selection

    @cached_property
    def judges(self) -> Bool[np.ndarray, " n"]:
        """The images that judge them: those held out, or all where none are."""
        return self.chose if self.chose.all() else ~self.chose

    @cached_property
    def mean(self) -> Float64[np.ndarray, " d"]:
        """The mean embedding of all images."""
        mean: Float64[np.ndarray, " d"] = self.embeddings.mean(axis=0, dtype=np.float64)
        return mean

    @cached_property
    def covariance(self) -> Float64[np.ndarray, "d d"]:
        """Of all images."""
        return _covariance(self.embeddings)

    @cached_property
    def judging_covariance(self) -> Float64[np.ndarray, "d d"]:
        """Of the images that judge."""
        return _covariance(self.embeddings[self.judges])

    @cached_property
    def choosing_covariance(self) -> Float64[np.ndarray, "d d"]:
        """Of the images that chose."""
        return _covariance(self.embeddings[self.chose])


@dataclass(frozen=True, eq=False)
class Labelled:
    """One neuron with the labels that it might have."""

    neuron: int
    examples: Examples
    texts: Int64[np.ndarray, " p"]
    """Rows of the texts that some labeler ranks high, best first by the labeler that comes first."""
    scores: Float64[np.ndarray, " p"]
    """What that labeler gives them."""
    others: Int64[np.ndarray, " m"]
    """The first labels of the other labelers, as rows of the texts."""


def layer_facts(
    encoded: Encoded, activations: Float[np.ndarray, "n c"], labelled: Sequence[Labelled]
) -> Float64[np.ndarray, "l f"]:
    """`FACTS` of the labelled neurons of a layer, in order; NaN for one with fewer than two texts.

    The lead of the layer is the mean lead of these neurons.
    """
    found = np.full((len(labelled), len(FACTS)), np.nan)
    for start in range(0, len(labelled), BLOCK):
        part = labelled[start : start + BLOCK]
        columns = activations[:, [one.neuron for one in part]]
        for place, facts in enumerate(_block_facts(encoded, columns, part), start):
            found[place, :-1] = facts
    known = ~np.isnan(found[:, 0])
    if known.any():
        found[known, -1] = found[known, 0].mean()
    return found


def _block_facts(
    encoded: Encoded, activations: Float[np.ndarray, "n b"], labelled: Sequence[Labelled]
) -> Iterator[list[float]]:
    judged = _pull(activations, encoded.embeddings, encoded.judges)
    signals = _signals(encoded, _pull(activations, encoded.embeddings, encoded.chose), judged)
    for one, pull, signal in zip(labelled, judged, signals.tolist(), strict=True):
        yield [np.nan] * (len(FACTS) - 1) if len(one.texts) < 2 else _facts(encoded, one, pull, signal)


def _facts(encoded: Encoded, one: Labelled, pull: Float64[np.ndarray, " d"], signal: float) -> list[float]:
    """lead: of the first label's score over that of the next other meaning, as its logarithm;
    further lead: over the third other meaning, since a neuron may follow two things;
    likeness: cosine of the label and of what the examples have beyond the average image;
    agreement: share of the other labelers that put the same meaning first;
    steadiness: weighted mean over the examples of how much further they are above the average image in the
    label's cosine than in a rival's, in standard errors, for the rival where that is least, in [-1, 5];
    held-out lead: the label's correlation with the activations on images that did not choose it less a
    rival's, in standard errors, for the closest rival, in [-4, 6];
    separation: share of the examples that are nearer to the label than their contrastive example;
    signal: -exp(-z / 1.5), z the correlation of the activations with what a ridge regression on the
    embeddings foretells, on held-out images, times the root of their number (Fisher): -1 for noise, 0 where
    the encoder surely sees what moves the neuron.
    """
    texts = encoded.texts[one.texts].astype(np.float64)
    same = _same(texts, encoded.covariance)
    rivals = np.flatnonzero(~same[0])
    distinct = _distinct(rivals, same)
    last = float(one.scores[-1])
    lead = one.scores[0] - (one.scores[distinct[0]] if len(distinct) else last)
    further = one.scores[0] - (one.scores[distinct[2]] if len(distinct) > 2 else last)
    share = weights(one.examples)
    beyond = encoded.embeddings[one.examples.activating].astype(np.float64) - encoded.mean
    deviation = np.sqrt(np.maximum(np.einsum("pd,pd->p", texts @ encoded.covariance, texts), TINY))
    above = beyond @ texts.T / deviation
    common = share @ beyond
    return [
        float(np.log(max(lead, LEAST_LEAD))),
        float(np.log(max(further, LEAST_LEAD))),
        float(common @ texts[0] / max(np.linalg.norm(common) * np.linalg.norm(texts[0]), TINY)),
        _agreement(encoded, one),
        _steadiness(share, above, rivals),
        _held_out_lead(encoded, pull, texts, rivals),
        _separation(encoded, one, above[:, 0], texts[0] / deviation[0]),
        signal,
    ]


def _distinct(rivals: Int64[np.ndarray, " r"], same: Bool[np.ndarray, "p p"]) -> list[int]:
    """The rivals, best first, less those that mean the same as one before."""
    found: list[int] = []
    for rival in rivals.tolist():
        if not same[rival, found].any():
            found.append(rival)
    return found


def _agreement(encoded: Encoded, one: Labelled) -> float:
    if not len(one.others):
        return 0.0
    rows = np.concatenate([one.texts[:1], one.others])
    same = _same(encoded.texts[rows].astype(np.float64), encoded.covariance)
    return float((same[0, 1:] | (one.others == one.texts[0])).mean())


def _steadiness(
    share: Float64[np.ndarray, " k"], above: Float64[np.ndarray, "k p"], rivals: Int64[np.ndarray, " r"]
) -> float:
    if not len(rivals):
        return 5.0
    ahead = above[:, :1] - above[:, rivals]
    mean = share @ ahead
    error = np.sqrt((share**2) @ (ahead - mean) ** 2)
    return float(np.clip(mean / np.maximum(error, 1e-9), -1, 5).min())


def _held_out_lead(
    encoded: Encoded,
    pull: Float64[np.ndarray, " d"],
    texts: Float64[np.ndarray, "p d"],
    rivals: Int64[np.ndarray, " r"],
) -> float:
    """The standard error of a difference of two dependent correlations: sqrt(2 (1 - r12) / n)."""
    if not len(rivals):
        return 6.0
    covariance = texts @ encoded.judging_covariance @ texts.T
    deviation = np.sqrt(np.maximum(np.diag(covariance), TINY))
    fit = texts @ pull / deviation
    between = covariance[0, rivals] / (deviation[0] * deviation[rivals])
    error = np.sqrt(2 * (1 - np.minimum(between, 0.99)) / np.count_nonzero(encoded.judges))
    return float(np.clip((fit[0] - fit[rivals]) / error, -4, 6).min())


def _separation(
    encoded: Encoded, one: Labelled, above: Float64[np.ndarray, " k"], label: Float64[np.ndarray, " d"]
) -> float:
    paired = one.examples.contrastive >= 0
    if not paired.any():
        return 0.5
    contrastive = encoded.embeddings[one.examples.contrastive[paired]].astype(np.float64) - encoded.mean
    return float((above[paired] > contrastive @ label).mean())


def _signals(
    encoded: Encoded, chosen: Float64[np.ndarray, "b d"], judged: Float64[np.ndarray, "b d"]
) -> Float64[np.ndarray, " b"]:
    covariance = encoded.choosing_covariance
    width = len(covariance)
    ridge = max(RIDGE * np.trace(covariance) / width, TINY)
    direction = np.linalg.solve(covariance + ridge * np.eye(width), chosen.T).T
    spread = np.sqrt(np.einsum("bd,bd->b", direction @ encoded.judging_covariance, direction))
    fit = np.einsum("bd,bd->b", judged, direction) / np.maximum(spread, TINY)
    errors = np.maximum(fit, 0) * np.sqrt(np.count_nonzero(encoded.judges))
    signal: Float64[np.ndarray, " b"] = -np.exp(-errors / 1.5)
    return signal


def _pull(
    activations: Float[np.ndarray, "n b"],
    embeddings: Float[np.ndarray, "n d"],
    images: Bool[np.ndarray, " n"],
) -> Float64[np.ndarray, "b d"]:
    """Of each neuron mean(z e), z its activations on these images, standardised: c . pull is the covariance
    of z with the cosines to a text c. 0 for a neuron that does not vary; activations that are not finite
    count as their mean."""
    values = activations[images].astype(np.float64)
    finite = np.isfinite(values)
    values[~finite] = 0.0
    values -= values.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    values[~finite] = 0.0
    length = np.sqrt((values**2).mean(axis=0)) if len(values) else np.zeros(values.shape[1])
    values /= np.where(length > TINY, length, np.inf)
    pull = values.T.astype(np.float32) @ embeddings[images]
    found: Float64[np.ndarray, "b d"] = pull.astype(np.float64) / max(len(values), 1)
    return found


def _covariance(embeddings: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "d d"]:
    centred = embeddings - embeddings.mean(axis=0)
    covariance: Float64[np.ndarray, "d d"] = (centred.T @ centred).astype(np.float64) / max(len(centred), 1)
    return covariance


def _same(
    texts: Float64[np.ndarray, "p d"], covariance: Float64[np.ndarray, "d d"]
) -> Bool[np.ndarray, "p p"]:
    """Which texts mean the same."""
    found: Bool[np.ndarray, "p p"] = (_cosines(texts @ texts.T) >= SAME) | (
        _cosines(texts @ covariance @ texts.T) >= SAME
    )
    return found


def _cosines(products: Float64[np.ndarray, "p p"]) -> Float64[np.ndarray, "p p"]:
    length = np.sqrt(np.maximum(np.diag(products), TINY))
    found: Float64[np.ndarray, "p p"] = products / np.outer(length, length)
    return found
