"""Concept vectors and the scores of texts (the paper's steps 3 to 5)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from scipy.sparse import csr_array

from csp.method.checks import check_gamma, check_texts
from csp.method.examples.select import Examples

VANISHED = 1e-6
"""A vector shorter than this holds rounding errors only; it has no direction."""
NEURONS_AT_ONCE = 512
"""So many neurons' examples are picked out of the embeddings together."""


def weights(examples: Examples) -> Float64[np.ndarray, " k"]:
    """Share of each activating example in the evidence: w_p = max(a_p, 0) / sum of the same.

    They sum to 1, or are all 0 when no example fires: a neuron that never fires is evidence of nothing.
    """
    positive = np.maximum(examples.activation.astype(np.float64), 0.0)
    total = positive.sum()
    return positive / total if total > 0 else positive


def residuals(
    examples: Examples, embeddings: Float[np.ndarray, "n d"], gamma: float
) -> Float64[np.ndarray, "k d"]:
    """What each activating example has beyond its contrastive one: r_p = e_p - gamma s_p e_n(p), or e_p.

    With several neighbours, e_n(p) is the normalised mean of their embeddings, and s_p the cosine to it.
    """
    activating = embeddings[examples.activating]
    if examples.further is None:
        similarity = np.nan_to_num(examples.similarity.astype(np.float64), nan=0.0)
        contrastive = embeddings[examples.contrastive].astype(np.float64)
    else:
        contrastive = _mean_contrastive(examples.contrastive, examples.further, embeddings)
        similarity = np.einsum("kd,kd->k", activating, contrastive, dtype=np.float64)
    contrastive *= gamma * similarity[:, None]
    found: Float64[np.ndarray, "k d"] = activating - contrastive
    return found


def _mean_contrastive(
    nearest: Int64[np.ndarray, " k"], further: Int64[np.ndarray, "k m"], embeddings: Float[np.ndarray, "n d"]
) -> Float64[np.ndarray, "k d"]:
    """The normalised mean of each example's cold neighbours, as many as there are; zero without any."""
    total = np.zeros((len(nearest), embeddings.shape[1]))
    for images in (nearest, *further.T):
        total += embeddings[images] * (images >= 0)[:, None]
    return normalise(total).astype(np.float64)


def concept_vector(
    examples: Examples, embeddings: Float[np.ndarray, "n d"], gamma: float
) -> Float32[np.ndarray, " d"]:
    """CSP's direction of a neuron: v = normalise(sum_p w_p r_p), of unit length.

    The zero vector when the neuron never fires, or when the residuals cancel (all pairs are duplicates).
    Raises BadInputError for gamma outside [0, 1].
    """
    check_gamma(gamma)
    return normalise(weights(examples) @ residuals(examples, embeddings, gamma))


def gamma_ends(
    examples: Examples, embeddings: Float[np.ndarray, "n d"]
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """The weighted mean residuals at gamma 0 and 1: those at any gamma between lie on the line from one to
    the other, sum_p w_p r_p(gamma) = (1 - gamma) start + gamma end, see `concept_vectors_between`.
    """
    share = weights(examples)
    start: Float64[np.ndarray, " d"] = share @ residuals(examples, embeddings, 0.0)
    end: Float64[np.ndarray, " d"] = share @ residuals(examples, embeddings, 1.0)
    return start, end


@dataclass(frozen=True, eq=False)
class LayerExamples:
    """The examples of many neurons one behind the other, each with its nearest contrastive example."""

    activating: Int64[np.ndarray, " r"]
    activation: Float[np.ndarray, " r"]
    contrastive: Int64[np.ndarray, " r"]
    """Below 0 where there is none."""
    similarity: Float[np.ndarray, " r"]
    counts: Int64[np.ndarray, " c"]
    """How many examples each neuron has."""


def layer_gamma_ends(
    examples: LayerExamples, embeddings: Float[np.ndarray, "n d"]
) -> tuple[Float32[np.ndarray, "c d"], Float32[np.ndarray, "c d"]]:
    """`gamma_ends` of many neurons: two products of sparse weights with the embeddings."""
    positive = np.maximum(examples.activation.astype(np.float64), 0.0)
    neuron = np.repeat(np.arange(len(examples.counts)), examples.counts)
    total = np.bincount(neuron, positive, minlength=len(examples.counts))[neuron]
    share = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    start = _weighed(share, examples.activating, examples.counts, embeddings)
    cold = examples.contrastive >= 0
    alike = np.where(cold, share * np.nan_to_num(examples.similarity.astype(np.float64)), 0.0)
    shared = _weighed(alike, np.where(cold, examples.contrastive, 0), examples.counts, embeddings)
    return start.astype(np.float32), (start - shared).astype(np.float32)


def _weighed(
    weight: Float64[np.ndarray, " r"],
    images: Int64[np.ndarray, " r"],
    counts: Int64[np.ndarray, " c"],
    embeddings: Float[np.ndarray, "n d"],
) -> Float64[np.ndarray, "c d"]:
    """The weighted sum of each neuron's images, which come one neuron behind the other.

    Only their embeddings are picked out, of some neurons at a time: a sparse product with all would turn all
    of them into double precision.
    """
    starts, found = np.concatenate([[0], np.cumsum(counts)]), np.empty((len(counts), embeddings.shape[1]))
    for first in range(0, len(counts), NEURONS_AT_ONCE):
        ends = starts[first : first + NEURONS_AT_ONCE + 1]
        rows = slice(ends[0], ends[-1])
        used, place = np.unique(images[rows], return_inverse=True)
        sparse = csr_array((weight[rows], place, ends - ends[0]), (len(ends) - 1, len(used)))
        found[first : first + NEURONS_AT_ONCE] = sparse @ embeddings[used]
    return found


def concept_vectors_between(
    start: Float[np.ndarray, "c d"], end: Float[np.ndarray, "c d"], gamma: float
) -> Float32[np.ndarray, "c d"]:
    """Concept vectors of many neurons at one gamma, from their `gamma_ends`: equal to `concept_vector`.

    Raises BadInputError for gamma outside [0, 1].
    """
    check_gamma(gamma)
    return normalise((1.0 - gamma) * start + gamma * end)


def plain_mean_vector(examples: Examples, embeddings: Float[np.ndarray, "n d"]) -> Float32[np.ndarray, " d"]:
    """SemanticLens' direction of a neuron: the normalised plain mean of its activating examples' embeddings.

    The zero vector when the neuron never fires. Source: arXiv 2501.05398.
    """
    fires = weights(examples).any()
    total = embeddings[examples.activating].astype(np.float64).sum(axis=0)
    return normalise(total / max(len(examples.activating), 1) * fires)


def project(
    vector: Float[np.ndarray, " d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float32[np.ndarray, " t"]:
    """Scores of texts: the cosines v . t, in [-1, 1]; all 0 for the zero vector.

    Raises BadInputError when the texts have another number of dimensions.
    """
    check_texts(vector, text_embeddings)
    scores: Float32[np.ndarray, " t"] = np.clip(text_embeddings @ vector, -1.0, 1.0).astype(np.float32)
    return scores


def mean_text_embedding(
    per_template: Float[np.ndarray, "T t d"], renormalise: bool = True
) -> Float32[np.ndarray, "t d"]:
    """One embedding per text: the mean over prompt templates of the normalised embeddings, normalised again.

    Without `renormalise` the mean is left shorter than 1, as in the paper's reference implementation.
    """
    mean = normalise(per_template).astype(np.float64).mean(axis=0)
    return normalise(mean) if renormalise else mean.astype(np.float32)


def normalise(vectors: Float[np.ndarray, "*b d"]) -> Float32[np.ndarray, "*b d"]:
    """Unit length along the last axis; zero where there is no direction."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.where(length > VANISHED, wide / np.maximum(length, VANISHED), 0.0).astype(np.float32)
