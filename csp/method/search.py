"""Which neurons of a layer answer a question: by words, by a picture, by how strongly they fire."""

import numpy as np
from jaxtyping import Float, Float64

from csp.errors import BadInputError
from csp.method.checks import check_texts
from csp.method.scatter import scatter


def word_scores(
    vectors: Float[np.ndarray, "c d"], plus: Float[np.ndarray, "p d"], minus: Float[np.ndarray, "m d"]
) -> Float64[np.ndarray, " c"]:
    """How well each neuron fits the wanted texts and not the others: mean_i v . t_i - mean_j max(0, v . u_j).

    For one wanted text this is its CSP score, a cosine; with others in [-2, 1]. To be the opposite of an
    unwanted text earns nothing, or it would outweigh the wanted ones. Raises BadInputError without any text.
    """
    if not len(plus) and not len(minus):
        raise BadInputError("there is nothing to search for; write at least one word")
    total: Float64[np.ndarray, " c"] = np.zeros(len(vectors))
    if len(plus):
        check_texts(vectors[0], plus)
        total += (vectors @ plus.T).astype(np.float64).mean(axis=1)
    if len(minus):
        check_texts(vectors[0], minus)
        total -= np.maximum(vectors @ minus.T, 0.0).astype(np.float64).mean(axis=1)
    return total


def standing_out(
    vectors: Float[np.ndarray, "c d"], picture: Float[np.ndarray, " d"], probe: Float[np.ndarray, "n d"]
) -> Float64[np.ndarray, " c"]:
    """By how many standard deviations a picture shows what a neuron looks for, against the probe images:

        z_c = (v_c . e - mean_i v_c . e_i) / std_i v_c . e_i

    All pictures have much in common, so the bare cosine ranks the neurons alike for every picture. 0 where
    the probe images do not differ.
    """
    centre = probe.mean(axis=0, dtype=np.float64)
    covariance = scatter(probe, centre) / len(probe)
    wide = vectors.astype(np.float64)
    spread = np.sqrt(np.maximum(np.einsum("cd,de,ce->c", wide, covariance, wide, optimize=True), 0.0))
    height = wide @ (picture.astype(np.float64) - centre)
    found: Float64[np.ndarray, " c"] = np.zeros(len(vectors))
    np.divide(height, spread, out=found, where=spread > 1e-12)
    return found


def share_below(
    activations: Float[np.ndarray, "n c"], values: Float[np.ndarray, " c"]
) -> Float64[np.ndarray, " c"]:
    """The share of probe images on which each neuron fires less strongly than `values`, in [0, 1].

    Images without a finite activation are left out; NaN where none is left.
    """
    finite = np.isfinite(activations)
    count = finite.sum(axis=0)
    below = ((activations < values) & finite).sum(axis=0)
    found: Float64[np.ndarray, " c"] = np.full(activations.shape[1], np.nan)
    np.divide(below, count, out=found, where=count > 0)
    return found
