"""A labeler that looks at one image only: the one that activates the neuron most."""

import numpy as np

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler


def strongest(evidence: Evidence, text_embeddings: np.ndarray, gamma: float) -> np.ndarray:
    """Cosine of each text to the strongest activating image; 0 for a neuron that never fires."""
    if not (evidence.examples.activation > 0).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    return text_embeddings @ evidence.embeddings[evidence.examples.activating[0]]


LABELER = Labeler(
    "strongest", strongest, "Strongest", "Fits the image that activates it most. Cosine, -1 to 1."
)
