"""The labeler that the app shows first: what contrast and correlation say together."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from csp.method.checks import check_texts
from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.select import contrasted
from csp.method.labelers.correlation import image_scatter, pull_of, resampled_pulls
from csp.method.labelers.evidence import Evidence, without_outlying
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import concept_vector, residuals, weights
from csp.method.labelers.resampling import example_weights
from csp.method.labelers.whitened import Whitened, whiten

RULE = ContrastRule(neighbours=5)
GAMMA = 1.0
FLAT = 1e-6
"""A member whose scores deviate less than this tells no text from another, and says nothing."""
CLOSE = 0.2
"""Texts that score up to this share less than the best are as good as it."""
KIN = 0.5
"""Texts are kin from this cosine on, less what all texts of the vocabulary have in common."""


def consensus(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """How far a text stands above the average text, in standard deviations: mean of two members.

    score(t) = [z_v(t) + z_p(t)] / 2,   z_u(t) = (s_u(t) - mean s_u) / sd s_u,   s_u = `Whitened.cosines`

    v is csp's concept vector (with the mean of five contrastive examples, gamma 1), p what correlation looks
    at: sum_i (a_i - mean a) e_i over the images that decide. Both are compared with the texts as the images
    vary, so that a few directions in which all images differ don't drown what the neuron follows. Mean and
    deviation are over the texts, or over the first `Evidence.vocabulary` of them, so that a text from outside
    is measured by the vocabulary. Of the best text and its kin within a fifth of its score (`KIN`) the one
    of highest correlation comes first, counted without what texts have in common: it changes score with the
    best. Contrast finds what a neuron follows, correlation how broad it is ("dog", not "terrier").

    Images on which the whole layer gives way (`Evidence.outlying`) are left out of both. gamma plays no part,
    nor does the contrast rule that csp beside it follows. All 0 where texts can't be told apart (one text,
    equal texts) and when the neuron never fires. This project's; `docs/results.md` says how often each is
    right.
    """
    check_texts(evidence.embeddings, text_embeddings)
    evidence = without_outlying(evidence)
    if not len(text_embeddings) or not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    contrast = evidence.contrast
    if contrast is None:
        contrast = own_contrast(evidence)
    scores = together(contrast[None], pull_of(evidence)[None], evidence, text_embeddings)
    single: Float32[np.ndarray, " t"] = scores[0].astype(np.float32)
    return single


def own_contrast(evidence: Evidence) -> Float32[np.ndarray, " d"]:
    """`Evidence.contrast`, where it is not given."""
    return concept_vector(_contrasted(without_outlying(evidence)).examples, evidence.embeddings, GAMMA)


def together(
    contrasts: Float[np.ndarray, "b d"],
    pulls: Float[np.ndarray, "b d"],
    evidence: Evidence,
    texts: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, "b t"]:
    """The mean of the standardised scores by either direction, the best of kin first."""
    known, whitened = evidence.vocabulary, evidence.whitened
    if whitened is None:
        whitened = whiten(image_scatter(evidence.embeddings, evidence.selection), texts, known)
    members = standardised(whitened.cosines(np.concatenate([contrasts, pulls]), texts), known)
    total: Float64[np.ndarray, "b t"] = (members[: len(contrasts)] + members[len(contrasts) :]) / 2
    _best_of_kin_first(total[:, :known], pulls, texts[:known], whitened)
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
    pulls: Float[np.ndarray, "b d"],
    texts: Float[np.ndarray, "t d"],
    whitened: Whitened,
) -> None:
    """In each row the best text changes score with that one of its kin that correlates best."""
    for scores, pull in zip(total, pulls, strict=True):
        best = int(scores.argmax())
        close = np.flatnonzero(scores >= (1 - CLOSE) * scores[best])
        if len(close) > 1 and scores[best] > 0:
            own, place = texts[close] - whitened.common, int(np.searchsorted(close, best))
            kin = _kin(own, place)
            fits = own[kin] @ pull / np.maximum(whitened.spread[close[kin]], FLAT)
            first = int(close[kin[fits.argmax()]])
            if fits.max() > fits[np.searchsorted(kin, place)]:
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
    evidence = without_outlying(evidence)
    wide = _contrasted(evidence)
    share = example_weights(wide, rng)
    contrasts = share @ residuals(wide.examples, evidence.embeddings, GAMMA)
    fires = share.any(axis=1, keepdims=True)
    return together(contrasts, resampled_pulls(evidence, rng), evidence, texts) * fires


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
