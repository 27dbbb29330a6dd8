"""Contrastive Semantic Projection (arXiv 2604.22477)."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import concept_vector, project, residuals
from csp.method.labelers.resampling import cosines, example_weights


def csp(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the contrastive concept vector. Source: arXiv 2604.22477."""
    return project(concept_vector(evidence.examples, evidence.embeddings, gamma), text_embeddings)


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings of the examples at once: linear algebra, no loop over them."""
    left = residuals(evidence.examples, evidence.embeddings, gamma)
    return cosines(example_weights(evidence, rng), left, texts)


LABELER = Labeler(
    "csp",
    csp,
    "CSP",
    "Contrastive: what the activating images show and their look-alikes do not. Cosine, -1 to 1.",
    uses_gamma=True,
    among_neurons=False,
    resampled=resampled,
    place=2,
)
