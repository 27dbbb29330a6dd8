"""The labeler that the app shows first: what contrast and correlation say together."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from csp.method.checks import check_texts
from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.select import contrasted
from csp.method.labelers import correlation, csp
from csp.method.labelers.correlation import deciding
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import concept_vector, project, weights

RULE = ContrastRule(neighbours=5)
GAMMA = 1.0
FLAT = 1e-6
"""A member whose scores deviate less than this tells no text from another, and says nothing."""
SURE = 4.0
"""Correlation counts in full where its scores differ between texts by so many standard errors."""
CLOSE = 0.1
"""Texts that score up to this share less than the best are as good as it."""
KIN = 0.5
"""Texts are kin from this cosine on, less what all texts of the vocabulary have in common."""


def consensus(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """How far a text stands above the average text, in standard deviations: mean of two labelers.

    score(t) = [z_csp(t) + w z_cor(t)] / (1 + w),   z_m(t) = (s_m(t) - mean s_m) / sd s_m

    s_csp are the scores of csp (with the mean of five contrastive examples, gamma 1), s_cor those of
    correlation. Mean and deviation are over the texts, or over the first `Evidence.vocabulary` of them, so
    that a text from outside is measured by the vocabulary. w = min(1, sd s_cor sqrt(n) / 4) for n images that
    decide: where correlations differ little more than by their standard error, 1 / sqrt(n), they say little,
    as for what few images show. Of the best text and its kin within a tenth of its score (`KIN`) the one of
    highest correlation comes first: it changes score with the best. Contrast finds what a neuron follows,
    correlation how broad it is ("dog", not "terrier").

    gamma plays no part, nor does the contrast rule that csp beside it follows. All 0 where texts can't be
    told apart (one text, equal texts) and when the neuron never fires. This project's; `docs/results.md` says
    how often each is right.
    """
    check_texts(evidence.embeddings, text_embeddings)
    if not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    contrast = evidence.contrast
    if contrast is None:
        contrast = concept_vector(_contrasted(evidence).examples, evidence.embeddings, GAMMA)
    by_csp = project(contrast, text_embeddings)
    by_correlation = correlation.correlation(evidence, text_embeddings, gamma)
    scores = together(by_csp[None], by_correlation[None], evidence, text_embeddings)
    single: Float32[np.ndarray, " t"] = scores[0].astype(np.float32)
    return single


def together(
    by_csp: Float[np.ndarray, "b t"],
    by_correlation: Float[np.ndarray, "b t"],
    evidence: Evidence,
    texts: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, "b t"]:
    """The weighted mean of the standardised scores, the best of kin first."""
    known = evidence.vocabulary
    error = max(int(np.count_nonzero(deciding(evidence))), 1) ** -0.5
    deviation = by_correlation[:, :known].std(axis=1, dtype=np.float64, keepdims=True)
    weight = np.minimum(1.0, deviation / (SURE * error))
    total: Float64[np.ndarray, "b t"] = standardised(by_csp, known)
    total += weight * standardised(by_correlation, known)
    total /= 1 + weight
    _best_of_kin_first(total[:, :known], by_correlation[:, :known], texts[:known], evidence.text_mean)
    return total


def standardised(
    scores: Float[np.ndarray, "b t"], vocabulary: int | None = None
) -> Float64[np.ndarray, "b t"]:
    """(score - mean) / deviation of each row, both over its first `vocabulary` texts; 0 where flat."""
    wide = scores.astype(np.float64)
    known = wide[:, :vocabulary]
    deviation = known.std(axis=1, keepdims=True)
    wide -= known.mean(axis=1, keepdims=True)
    wide /= np.where(deviation > FLAT, deviation, np.inf)
    return wide


def _best_of_kin_first(
    total: Float64[np.ndarray, "b t"],
    by_correlation: Float[np.ndarray, "b t"],
    texts: Float[np.ndarray, "t d"],
    common: Float64[np.ndarray, " d"] | None,
) -> None:
    """In each row the best text changes score with that one of its kin that correlates best."""
    for scores, fits in zip(total, by_correlation, strict=True):
        best = int(scores.argmax()) if len(scores) else 0
        close = np.flatnonzero(scores >= (1 - CLOSE) * scores[best]) if len(scores) else np.zeros(0, int)
        if len(close) > 1 and scores[best] > 0:
            common = texts.mean(axis=0, dtype=np.float64) if common is None else common
            chosen = close[_kin(texts[close] - common, int(np.searchsorted(close, best)))]
            first = chosen[fits[chosen].argmax()]
            if fits[first] > fits[best]:
                scores[[best, first]] = scores[[first, best]]


def _kin(own: Float64[np.ndarray, "c d"], best: int) -> Int64[np.ndarray, " k"]:
    """Which of these texts, less what is common, point where the best one does; itself always."""
    length = np.linalg.norm(own, axis=1)
    cosines = own @ own[best] / np.maximum(length * length[best], FLAT)
    cosines[best] = 1.0
    return np.flatnonzero(cosines >= KIN)


def _contrasted(evidence: Evidence) -> Evidence:
    """The same activating examples, each with five contrastive ones."""
    wide = evidence.wide
    if wide is None:
        wide = contrasted(
            evidence.activations,
            evidence.embeddings,
            evidence.examples.activating,
            neighbours=evidence.neighbours,
            rule=RULE,
        )
    return replace(evidence, examples=wide)


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings; 0 where only silent examples were drawn."""
    by_csp = csp.resampled(_contrasted(evidence), texts, GAMMA, rng)
    by_correlation = correlation.resampled(evidence, texts, gamma, rng)
    return together(by_csp, by_correlation, evidence, texts) * by_csp.any(axis=1, keepdims=True)


LABELER = Labeler(
    "consensus",
    consensus,
    "Consensus",
    "CSP and correlation together: how far a text stands above the average text of the vocabulary, in "
    "standard deviations (3 is far).",
    alone=False,
    among_neurons=False,
    resampled=resampled,
    place=1,
)
