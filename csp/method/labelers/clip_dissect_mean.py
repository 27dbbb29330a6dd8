"""The variant of CLIP-Dissect in the reference implementation of CSP; `clip_dissect.py` is the original."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.checks import check_texts
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights
from csp.method.labelers.resampling import example_weights

TEMPERATURE = 10.0
LAMBDA = 1.0
MIN_PROBABILITY = 1e-6
AT_ONCE = 2**19
"""So many numbers are held at a time, however many texts there are."""


def clip_dissect_mean(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """How much better a text suits the neuron's examples than all images; gamma plays no part.

    score(t) = log(sum_p w_p P(t | p) + 1e-6) - lambda log P(t)

    P(t | i) is the softmax over texts of (e_i . t) / 10, P(t) its mean over the probe dataset, lambda = 1.
    About 0 when the neuron says nothing about t; exactly 0 when it never fires.
    Source: the reference implementation of CSP (arXiv 2604.22477), which calls it CLIP-Dissect. The original
    multiplies the cosines by 10 where this divides them, multiplies over images where this takes their mean,
    and its prior is over neurons, not over images.
    """
    check_texts(evidence.embeddings, text_embeddings)
    weight = weights(evidence.examples)
    if not weight.any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    activating = evidence.embeddings[evidence.examples.activating]
    given_image = text_probabilities(activating, text_embeddings, 1 / TEMPERATURE)
    prior = evidence.text_prior
    if prior is None:
        prior = text_prior(evidence.embeddings, text_embeddings)
    scores: Float64[np.ndarray, " t"] = np.log(weight @ given_image + MIN_PROBABILITY) - LAMBDA * np.log(
        prior
    )
    return scores.astype(np.float32)


def text_prior(
    embeddings: Float[np.ndarray, "n d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, " t"]:
    """P(t): how often each text suits an image of the probe dataset; the same for every neuron. Sums to 1."""
    total = np.zeros(len(text_embeddings))
    rows = max(1, AT_ONCE // max(len(text_embeddings), 1))
    for start in range(0, len(embeddings), rows):
        block = embeddings[start : start + rows]
        total += text_probabilities(block, text_embeddings, 1 / TEMPERATURE).sum(axis=0)
    return total / len(embeddings)


def text_probabilities(
    embeddings: Float[np.ndarray, "b d"], text_embeddings: Float[np.ndarray, "t d"], sharpness: float
) -> Float64[np.ndarray, "b t"]:
    """P(t | image): softmax over texts of sharpness (e . t); cosines are within [-1, 1]: no overflow."""
    odds: Float64[np.ndarray, "b t"] = (embeddings @ text_embeddings.T).astype(np.float64)
    odds *= sharpness
    np.exp(odds, out=odds)
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings of the examples at once: linear algebra, no loop over them."""
    weight = example_weights(evidence, rng)
    total = weight.sum(axis=1, keepdims=True)
    weight /= np.maximum(total, 1e-300)
    images = evidence.embeddings[evidence.examples.activating]
    given_image = text_probabilities(images, texts, 1 / TEMPERATURE)
    prior = text_prior(evidence.embeddings, texts) if evidence.text_prior is None else evidence.text_prior
    scores: Float64[np.ndarray, "b t"] = np.log(weight @ given_image + MIN_PROBABILITY)
    scores -= LAMBDA * np.log(prior)
    scores *= total > 0
    return scores


LABELER = Labeler(
    "clip-dissect-mean",
    clip_dissect_mean,
    "Mean CLIP-Dissect",
    "Which text goes with the activating images more than with all images; the variant of CSP's authors. "
    "Comparable in this column only.",
    alone=False,
    among_neurons=False,
    resampled=resampled,
    place=5,
)
