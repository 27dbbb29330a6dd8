"""SemanticLens (arXiv 2501.05398): the plain mean of the activating examples."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import normalise, plain_mean_vector, project
from csp.method.labelers.resampling import cosines, drawn_examples


def semanticlens(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Cosine of each text to the plain mean of the activating examples; gamma plays no part.

    With `Evidence.empty_text`, of what each text has beyond that: normalise(t - empty).
    """
    vector = plain_mean_vector(evidence.examples, evidence.embeddings)
    return project(vector, _beyond_template(text_embeddings, evidence.empty_text))


def _beyond_template(
    texts: Float[np.ndarray, "t d"], empty: Float[np.ndarray, " d"] | None
) -> Float[np.ndarray, "t d"]:
    return texts if empty is None else normalise(texts - empty)


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings of the examples at once: linear algebra, no loop over them."""
    images = evidence.embeddings[evidence.examples.activating].astype(np.float64)
    share, fires = drawn_examples(evidence, rng)
    scores: Float64[np.ndarray, "b t"] = (
        cosines(share, images, _beyond_template(texts, evidence.empty_text)) * fires
    )
    return scores


LABELER = Labeler(
    "semanticlens",
    semanticlens,
    "SemanticLens",
    "Plain mean of the activating images, look-alikes ignored. Cosine, -1 to 1.",
    among_neurons=False,
    resampled=resampled,
    place=3,
)
