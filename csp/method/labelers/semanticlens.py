"""SemanticLens (arXiv 2501.05398): the plain mean of the activating examples."""

import numpy as np
from jaxtyping import Float, Float32

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.projection import plain_mean_vector, project


def semanticlens(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the plain mean of the activating examples; gamma plays no part."""
    return project(plain_mean_vector(evidence.examples, evidence.embeddings), text_embeddings)
