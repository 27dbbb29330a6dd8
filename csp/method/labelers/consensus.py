"""The labeler that the app shows first: what three others say together."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.checks import check_texts
from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.select import Examples, contrasted
from csp.method.labelers import clip_dissect_mean, correlation, csp
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights

RULE = ContrastRule(neighbours=5)
GAMMA = 1.0
WEIGHTS = {"csp": 1.0, "clip-dissect-mean": 1.0, "correlation": 1.0}
"""How much each member says; they sum to 3."""
FLAT = 1e-6
"""A member whose scores deviate less than this tells no text from another, and says nothing."""


def consensus(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """The mean over three labelers of how far a text stands above the average text, in standard deviations.

    score(t) = sum_m w_m (s_m(t) - mean s_m) / sd s_m / sum_m w_m

    s_m are the scores of csp (with the mean of five contrastive examples, gamma 1), clip-dissect-mean and
    correlation; mean and deviation are over the texts, or over the first `Evidence.vocabulary` of them, so
    that a text from outside is measured by the vocabulary. gamma plays no part, nor does the contrast rule
    that csp beside it follows. All 0 where texts can't be told apart (one text, equal texts) and when the
    neuron never fires. This project's; `docs/results.md` says how often each is right.
    """
    check_texts(evidence.embeddings, text_embeddings)
    if not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    scores = {
        "csp": csp.csp(_contrasted(evidence), text_embeddings, GAMMA),
        "clip-dissect-mean": clip_dissect_mean.clip_dissect_mean(evidence, text_embeddings, gamma),
        "correlation": correlation.correlation(evidence, text_embeddings, gamma),
    }
    all_of_them = together({name: one[None] for name, one in scores.items()}, evidence)[0]
    single: Float32[np.ndarray, " t"] = all_of_them.astype(np.float32)
    return single


def together(scores: dict[str, Float[np.ndarray, "b t"]], evidence: Evidence) -> Float64[np.ndarray, "b t"]:
    """The weighted mean of the members' standardised scores."""
    total = np.zeros(next(iter(scores.values())).shape)
    for name, one in scores.items():
        total += WEIGHTS[name] / sum(WEIGHTS.values()) * standardised(one, evidence.vocabulary)
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


def _contrasted(evidence: Evidence) -> Evidence:
    """The same activating examples, each with five contrastive ones."""
    examples: Examples = contrasted(
        evidence.activations,
        evidence.embeddings,
        evidence.examples.activating,
        neighbours=evidence.neighbours,
        rule=RULE,
    )
    return replace(evidence, examples=examples)


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings; 0 where only silent examples were drawn."""
    by_csp = csp.resampled(_contrasted(evidence), texts, GAMMA, rng)
    scores = {
        "csp": by_csp,
        "clip-dissect-mean": clip_dissect_mean.resampled(evidence, texts, gamma, rng),
        "correlation": correlation.resampled(evidence, texts, gamma, rng),
    }
    return together(scores, evidence) * by_csp.any(axis=1, keepdims=True)


LABELER = Labeler(
    "consensus",
    consensus,
    "Consensus",
    "CSP, CLIP-Dissect (mean) and correlation together: how far a text stands above the average text of the "
    "vocabulary, in standard deviations (3 is far).",
    alone=False,
    resampled=resampled,
    place=1,
)
