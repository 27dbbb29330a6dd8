"""The labeler of CLIP-Dissect (arXiv 2204.10965): soft weighted pointwise mutual information."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.checks import check_texts
from csp.method.examples.select import strongest_images
from csp.method.labelers.clip_dissect_mean import text_probabilities
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights
from csp.method.labelers.resampling import drawn, shares

SHARPNESS = 10.0
IMAGES = 100
LAMBDA = 1.0
MIN_PROBABILITY = 1e-7
STRONGEST, WEAKEST = 0.998, 0.97
"""How surely the neuron's concept is in the strongest of the images; it falls with the rank."""


def clip_dissect(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Soft weighted pointwise mutual information of each text and the neuron; gamma plays no part.

    score(t) = log P(images | t) - lambda log mean_neurons P(images of that neuron | t)
    P(images | t) = prod_r (1 + p_r (P(t | i_r) - 1) + 1e-7),  p_r = 0.998 - 0.028 r / 100, r = 0, 1, ...

    i_r are the 100 images (all, if there are fewer) of highest activation, P(t | i) is the softmax over texts
    of 10 (e_i . t), lambda = 1. Exactly 0 when the neuron never fires. Without `Evidence.layer_prior` the
    prior is left out. Source: CLIP-Dissect (arXiv 2204.10965, section 3) and `soft_wpmi` of its authors'
    code, whose constants these are.
    """
    check_texts(evidence.embeddings, text_embeddings)
    if not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    scores = log_chances(evidence, text_embeddings).sum(axis=0) - _prior(evidence)
    single: Float32[np.ndarray, " t"] = scores.astype(np.float32)
    return single


def layer_prior(
    activations: Float[np.ndarray, "n c"],
    embeddings: Float[np.ndarray, "n d"],
    text_embeddings: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, " t"]:
    """log mean P(images of a neuron | t) over the neurons of a layer that fire; the same for all of them."""
    total, firing = np.full(len(text_embeddings), -np.inf), 0
    for column in activations.T:
        if (np.isfinite(column) & (column > 0)).any():
            own = _log_chances(np.ascontiguousarray(column), embeddings, text_embeddings).sum(axis=0)
            total, firing = np.logaddexp(total, own), firing + 1
    return total - np.log(firing) if firing else np.zeros(len(text_embeddings))


def log_chances(evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"]) -> Float64[np.ndarray, "r t"]:
    """log P(image | t) of the neuron's strongest images, strongest first."""
    return _log_chances(evidence.activations, evidence.embeddings, text_embeddings)


def _log_chances(
    activations: Float[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    texts: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, "r t"]:
    images = strongest_images(activations, IMAGES)
    there = STRONGEST - np.arange(len(images)) / max(len(images), 1) * (STRONGEST - WEAKEST)
    given_image = text_probabilities(embeddings[images], texts, SHARPNESS)
    chances: Float64[np.ndarray, "r t"] = np.log(1 + there[:, None] * (given_image - 1) + MIN_PROBABILITY)
    return chances


def _prior(evidence: Evidence) -> Float64[np.ndarray, " t"] | float:
    return 0.0 if evidence.layer_prior is None else LAMBDA * evidence.layer_prior


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings of its images at once; each image keeps the rank that it has."""
    each = log_chances(evidence, texts)
    scores: Float64[np.ndarray, "b t"] = shares(drawn(rng, len(each)), len(each)) @ each * len(each)
    return scores - _prior(evidence)


LABELER = Labeler(
    "clip-dissect",
    clip_dissect,
    "CLIP-Dissect",
    "Which text goes with the hundred strongest images more than with those of other neurons. "
    "Comparable in this column only.",
    alone=False,
    resampled=resampled,
    place=4,
)
