"""How sure a label is: which text would have come first had other examples been drawn."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.examples.select import Examples
from csp.method.labelers.clip_dissect import (
    LAMBDA,
    MIN_PROBABILITY,
    TEMPERATURE,
    text_prior,
    text_probabilities,
)
from csp.method.labelers.correlation import FLAT, deciding, selected_deviation, spread
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.falcon import SHARPNESS
from csp.method.labelers.projection import VANISHED, residuals
from csp.method.labelers.registry import LABELERS

RESAMPLES = 200
SEED = 0
STABLE = 0.5
"""A first label that stays first in fewer resamplings than this is called not stable."""

Draws = Int64[np.ndarray, "b k"]


@dataclass(frozen=True, eq=False)
class Stability:
    """What the bootstrap says of one neuron's labels."""

    first: int
    """The text that comes first on the examples as they are."""
    chance: float
    """Share of resamplings in which it stays first, in [0, 1]; higher is surer."""
    rival: int
    """The text that comes first most often in the others; `first` itself when there are none."""
    low: Float64[np.ndarray, " t"]
    high: Float64[np.ndarray, " t"]
    """The middle 95 % of every text's scores over the resamplings."""


def stability(
    labeler: str,
    evidence: Evidence,
    text_embeddings: Float[np.ndarray, "t d"],
    gamma: float,
    first: int,
) -> Stability:
    """Bootstrap a neuron's labels (Efron 1979), the examples drawn again with replacement.

    Each of 200 resamplings draws as many examples as there are (a pair stays a pair), or for correlation as
    many images, and scores every text anew. The seed is fixed: the same neuron gives the same answer.
    The chance says how much the label hangs on single examples, not whether it is true. Texts of like meaning
    take first place from one another, so a low chance may be a matter of wording.
    """
    resampled = RESAMPLED.get(labeler) or one_after_the_other(labeler)
    scores = resampled(evidence, text_embeddings, gamma, np.random.default_rng(SEED))
    alive = scores.any(axis=1)  # where only silent examples were drawn, no text comes first
    firsts = np.bincount(scores[alive].argmax(axis=1), minlength=scores.shape[1])
    others = firsts.copy()
    others[first] = 0
    low, high = np.quantile(scores, [0.025, 0.975], axis=0)
    rival = int(others.argmax()) if others.any() else first
    return Stability(first, float(firsts[first] / len(scores)), rival, low, high)


def drawn(rng: np.random.Generator, n: int) -> Draws:
    """The resamplings: in each, n draws of n with replacement."""
    return rng.integers(n, size=(RESAMPLES, n))


def _shares(draws: Draws, n: int) -> Float64[np.ndarray, "b n"]:
    """How often each of n was drawn, as a share of all draws."""
    counts = np.stack([np.bincount(row, minlength=n) for row in draws])
    shares: Float64[np.ndarray, "b n"] = counts / draws.shape[1]
    return shares


def _csp(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    left = residuals(evidence.examples, evidence.embeddings, gamma)
    return _cosines(_weights(evidence, rng), left, texts)


def _semanticlens(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    images = evidence.embeddings[evidence.examples.activating].astype(np.float64)
    share, fires = _drawn_examples(evidence, rng)
    cosines: Float64[np.ndarray, "b t"] = _cosines(share, images, texts) * fires
    return cosines


def _clip_dissect(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    weight = _weights(evidence, rng)
    total = weight.sum(axis=1, keepdims=True)
    weight /= np.maximum(total, 1e-300)
    images = evidence.embeddings[evidence.examples.activating]
    given_image = text_probabilities(images, texts, 1 / TEMPERATURE)
    prior = text_prior(evidence.embeddings, texts) if evidence.text_prior is None else evidence.text_prior
    scores: Float64[np.ndarray, "b t"] = np.log(weight @ given_image + MIN_PROBABILITY)
    scores -= LAMBDA * np.log(prior)
    scores *= total > 0
    return scores


def _falcon(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    examples = evidence.examples
    share, fires = _drawn_examples(evidence, rng)
    captions = text_probabilities(evidence.embeddings[examples.activating], texts, SHARPNESS)
    scores: Float64[np.ndarray, "b t"] = share @ captions
    paired = examples.contrastive >= 0
    if paired.any():
        twins = text_probabilities(evidence.embeddings[examples.contrastive[paired]], texts, SHARPNESS)
        with_twin = share[:, paired]
        scores -= with_twin @ twins / np.maximum(with_twin.sum(axis=1, keepdims=True), 1e-12)
    scores *= fires
    return scores


def _correlation(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Over the images that decide. Only the covariance is drawn anew, not how much each side varies."""
    chosen = np.flatnonzero(deciding(evidence))
    if len(chosen) == 0:
        return np.zeros((RESAMPLES, len(texts)))
    share = _shares(drawn(rng, len(chosen)), len(chosen))
    pull = share * selected_deviation(evidence)[chosen] * len(chosen)
    pull -= share * pull.sum(axis=1, keepdims=True)
    together = (pull @ evidence.embeddings[chosen]) @ texts.T
    varies = spread(evidence, texts)
    scores: Float64[np.ndarray, "b t"] = np.where(varies > FLAT, together / np.maximum(varies, FLAT), 0.0)
    return scores.clip(-1.0, 1.0)


def _weights(evidence: Evidence, rng: np.random.Generator) -> Float64[np.ndarray, "b k"]:
    """The weight of every example in every resampling: how often it was drawn, times how much it fires."""
    share, _ = _drawn_examples(evidence, rng)
    positive = np.maximum(evidence.examples.activation.astype(np.float64), 0.0)
    weight: Float64[np.ndarray, "b k"] = share * (positive / max(positive.max(), 1e-300))
    return weight


def _drawn_examples(
    evidence: Evidence, rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "b k"], Bool[np.ndarray, "b 1"]]:
    """The share of the draws that each example has in each resampling, and whether any of them fires."""
    activation = evidence.examples.activation
    share = _shares(drawn(rng, len(activation)), len(activation))
    return share, (share @ (activation > 0) > 0)[:, None]


def _cosines(
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


Resampled = Callable[[Evidence, np.ndarray, float, np.random.Generator], np.ndarray]

RESAMPLED: dict[str, Resampled] = {
    "csp": _csp,
    "semanticlens": _semanticlens,
    "clip-dissect": _clip_dissect,
    "falcon": _falcon,
    "correlation": _correlation,
}
"""By labeler, the scores of all texts over all resamplings at once: linear algebra, no loop over them."""


def one_after_the_other(labeler: str) -> Resampled:
    """The same of a labeler that is not in `RESAMPLED`: it scores the texts on each resampling.

    Takes as long as 200 times the labeler's score, so 0.1 to 2 seconds a neuron.
    """

    def resampled(
        evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
    ) -> Float64[np.ndarray, "b t"]:
        draws = drawn(rng, len(evidence.examples.activating))
        each = (replace(evidence, examples=_chosen(evidence.examples, draw)) for draw in draws)
        return np.stack([LABELERS[labeler](one, texts, gamma) for one in each]).astype(np.float64)

    return resampled


def _chosen(examples: Examples, draw: Int64[np.ndarray, " k"]) -> Examples:
    """The examples of one resampling, each with its twin."""
    return replace(
        examples,
        activating=examples.activating[draw],
        activation=examples.activation[draw],
        contrastive=examples.contrastive[draw],
        contrastive_activation=examples.contrastive_activation[draw],
        similarity=examples.similarity[draw],
        further=None if examples.further is None else examples.further[draw],
    )
