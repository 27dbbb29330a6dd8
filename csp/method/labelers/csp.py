"""Contrastive Semantic Projection (arXiv 2604.22477)."""

import numpy as np
from jaxtyping import Float, Float32

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.projection import concept_vector, project


def csp(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the contrastive concept vector. Source: arXiv 2604.22477."""
    return project(concept_vector(evidence.examples, evidence.embeddings, gamma), text_embeddings)
