"""Labelers: rules that score texts for a neuron. `LABELERS` is the list that commands and pages offer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from csp.errors import BadInputError
from csp.method.checks import check_texts
from csp.method.examples import Examples
from csp.method.projection import concept_vector, plain_mean_vector, project, weights

TEMPERATURE = 10.0
LAMBDA = 1.0
MIN_PROBABILITY = 1e-6
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a labeler may look at. `text_prior` spares clip-dissect a pass over all images per neuron."""

    activations: Float[np.ndarray, " n"]
    embeddings: Float[np.ndarray, "n d"]
    examples: Examples
    text_prior: Float64[np.ndarray, " t"] | None = None


Labeler = Callable[[Evidence, np.ndarray, float], np.ndarray]
"""(evidence, text embeddings [t, d], gamma) -> scores [t], float32; higher is better."""


def csp(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the contrastive concept vector. Source: arXiv 2604.22477."""
    return project(concept_vector(evidence.examples, evidence.embeddings, gamma), text_embeddings)


def semanticlens(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the plain mean of the activating examples; gamma plays no part."""
    return project(plain_mean_vector(evidence.examples, evidence.embeddings), text_embeddings)


def clip_dissect(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Soft weighted pointwise mutual information of each text and the neuron; gamma plays no part.

    score(t) = log(sum_p w_p P(t | p) + 1e-6) - lambda log P(t)

    P(t | i) is the softmax over texts of (e_i . t) / 10, P(t) its mean over the probe dataset, lambda = 1.
    About 0 when the neuron says nothing about t; exactly 0 when it never fires.
    Source: CLIP-Dissect (arXiv 2204.10965); the constants are those of the reference results.
    """
    check_texts(evidence.embeddings, text_embeddings)
    weight = weights(evidence.examples)
    if not weight.any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    given_image = _probabilities(evidence.embeddings[evidence.examples.activating], text_embeddings)
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
    for start in range(0, len(embeddings), BLOCK):
        total += _probabilities(embeddings[start : start + BLOCK], text_embeddings).sum(axis=0)
    return total / len(embeddings)


LABELERS: dict[str, Labeler] = {"csp": csp, "semanticlens": semanticlens, "clip-dissect": clip_dissect}


def best_labels(
    scores: Float[np.ndarray, " t"], top: int
) -> tuple[Int64[np.ndarray, " top"], Float[np.ndarray, " top"]]:
    """The `top` best texts (all, if there are fewer) and their scores, best first, ties to the lower index.

    Raises BadInputError for top < 1.
    """
    if top < 1:
        raise BadInputError(f"The best {top} labels were asked for; ask for at least 1.")
    index = np.argsort(-scores, kind="stable")[:top]
    return index, scores[index]


def _probabilities(
    embeddings: Float[np.ndarray, "b d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, "b t"]:
    """P(t | image): softmax over texts; cosines are within [-1, 1], so exp can't overflow."""
    odds: Float64[np.ndarray, "b t"] = np.exp(
        (embeddings @ text_embeddings.T).astype(np.float64) / TEMPERATURE
    )
    odds /= odds.sum(axis=1, keepdims=True)
    return odds
