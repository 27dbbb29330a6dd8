"""The labeler of CLIP-Dissect (arXiv 2204.10965): soft weighted pointwise mutual information."""

from collections.abc import Iterable

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
TOGETHER = 10
AT_ONCE = 2**25
"""So many images times texts are held at a time, in single precision."""
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
    images = strongest_images(evidence.activations, IMAGES)
    odds = _odds(evidence.embeddings[images], text_embeddings)
    scores = _log_likelihood(odds, odds.sum(axis=1, dtype=np.float64)) - _prior(evidence)
    single: Float32[np.ndarray, " t"] = scores.astype(np.float32)
    return single


def layer_prior(
    blocks: Iterable[Float[np.ndarray, "n b"]],
    embeddings: Float[np.ndarray, "n d"],
    text_embeddings: Float[np.ndarray, "t d"],
) -> Float64[np.ndarray, " t"]:
    """log mean P(images of a neuron | t) over the neurons of a layer that fire; the same for all of them.

    `blocks` hold the activations of some neurons at a time. Texts are taken some at a time, too: the memory
    grows with neither, but for the places of each neuron's strongest images. Each image is compared with
    each text twice (once to sum over the texts), however many neurons it is among the strongest of.
    """
    columns = (np.ascontiguousarray(column) for block in blocks for column in block.T)
    strongest = [strongest_images(one, IMAGES) for one in columns if (np.isfinite(one) & (one > 0)).any()]
    if not strongest:
        return np.zeros(len(text_embeddings))
    used, rows = np.unique(np.concatenate(strongest), return_inverse=True)
    places = np.split(rows, np.cumsum([len(images) for images in strongest])[:-1])
    shown, size = embeddings[used], max(1, AT_ONCE // len(used))
    parts = [text_embeddings[start : start + size] for start in range(0, len(text_embeddings), size)]
    total = sum((_odds(shown, part).sum(axis=1, dtype=np.float64) for part in parts), np.zeros(len(used)))
    found = []
    for part in parts:
        odds, prior = _odds(shown, part), np.full(len(part), -np.inf)
        for images in places:
            np.logaddexp(prior, _log_likelihood(odds[images], total[images]), out=prior)
        found.append(prior - np.log(len(places)))
    return np.concatenate(found)


def log_chances(evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"]) -> Float64[np.ndarray, "r t"]:
    """log P(image | t) of the neuron's strongest images, strongest first."""
    images = strongest_images(evidence.activations, IMAGES)
    there = _there(len(images))[:, None]
    given_image = text_probabilities(evidence.embeddings[images], text_embeddings, SHARPNESS)
    chances: Float64[np.ndarray, "r t"] = np.log(1 + there * (given_image - 1) + MIN_PROBABILITY)
    return chances


def _odds(
    embeddings: Float[np.ndarray, "r d"], texts: Float[np.ndarray, "t d"]
) -> Float32[np.ndarray, "r t"]:
    """exp(10 (e_i . t)): P(t | i) but for the sum over all texts."""
    odds = (embeddings @ texts.T).astype(np.float32, copy=False)
    odds *= np.float32(SHARPNESS)
    single: Float32[np.ndarray, "r t"] = np.exp(odds, out=odds)
    return single


def _log_likelihood(
    odds: Float32[np.ndarray, "r t"], total: Float64[np.ndarray, " r"]
) -> Float64[np.ndarray, " t"]:
    """log P(images | t) of images in their order; `odds` is changed, `total` is their sum over all texts.

    Of each factor 1 + p (P - 1) + 1e-7 = c (1 + P p / c), c = 1 - p + 1e-7, the logarithms are taken of ten
    at a time: a product of ten such brackets is below 500^10, which single precision holds.
    """
    if len(odds) == 0:
        return np.zeros(odds.shape[1])
    there = _there(len(odds))
    least = 1 - there + MIN_PROBABILITY
    odds *= (there / least / total).astype(np.float32)[:, None]
    odds += 1
    tens = odds[::TOGETHER].copy()
    for place in range(1, TOGETHER):
        others = odds[place::TOGETHER]
        tens[: len(others)] *= others
    found: Float64[np.ndarray, " t"] = np.log(tens).sum(axis=0, dtype=np.float64) + np.log(least).sum()
    return found


def _there(images: int) -> Float64[np.ndarray, " r"]:
    found: Float64[np.ndarray, " r"] = STRONGEST - np.arange(images) / max(images, 1) * (STRONGEST - WEAKEST)
    return found


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
