"""What SemanticLens says of a neuron without any text (Dreyer et al., arXiv 2501.05398): clarity, redundancy,
polysemanticity. All three look at the embeddings of its activating examples."""

import numpy as np
from jaxtyping import Float, Float64

from csp.method.labelers.projection import VANISHED

ROUNDS = 50
"""Lloyd's algorithm on k examples settles within a few rounds; only a cycle of ties would reach this."""


def clarity(examples: Float[np.ndarray, "k d"]) -> float:
    """How alike a neuron's activating examples are: the mean cosine of two different ones.

    clarity = k / (k - 1) (|mean_p e_p|^2 - 1 / k) = mean over p != q of e_p . e_q

    In [-1 / (k - 1), 1]; higher is clearer. NaN for fewer than two examples. Unit embeddings.
    """
    k = len(examples)
    if k < 2:
        return float("nan")
    mean = examples.mean(axis=0, dtype=np.float64)
    return float((mean @ mean - 1 / k) * k / (k - 1))


def redundancy(vectors: Float[np.ndarray, "c d"]) -> Float64[np.ndarray, " c"]:
    """How much another neuron of the layer says the same: the highest cosine to any other concept vector.

    redundancy(c) = max over c' != c of v_c . v_c', v the normalised plain mean of the examples' embeddings

    In [-1, 1]; lower is less redundant. SemanticLens reports the mean over a layer; this is one number a
    neuron. NaN for a neuron without a concept vector (it never fires) and where no other neuron has one.
    """
    known = np.flatnonzero(np.linalg.norm(vectors, axis=1) > VANISHED)
    found = np.full(len(vectors), np.nan)
    if len(known) > 1:
        wide = vectors[known].astype(np.float64)
        cosines = wide @ wide.T
        np.fill_diagonal(cosines, -np.inf)
        found[known] = cosines.max(axis=1)
    return found


def polysemanticity(examples: Float[np.ndarray, "k d"]) -> float:
    """How unlike the two groups are into which a neuron's activating examples fall best.

    polysemanticity = 1 - clarity of the two centres of 2-means = 1 - cos(centre 1, centre 2)

    In [0, 2], seldom above 1; higher is more polysemantic. Where one group is a single example, it is as in
    SemanticLens' code one minus the mean cosine of the examples to their overall mean (there over the first
    ten, here over all), so that one odd image does not make a neuron polysemantic. NaN for fewer than two
    examples. The groups: of Lloyd's algorithm from every pair of examples as centres, the partition of least
    within-group squares (there: ten random starts), so no seed plays a part. Unit embeddings.
    """
    if len(examples) < 2:
        return float("nan")
    products = examples.astype(np.float64) @ examples.T.astype(np.float64)
    group = two_means(products)
    if min(group.sum(), (~group).sum()) < 2:
        mean = products.mean(axis=1)  # e_p . mean
        return float(1 - mean.mean() / max(np.sqrt(products.mean()), VANISHED))
    first, second = group / group.sum(), ~group / (~group).sum()
    lengths = np.sqrt((first @ products @ first) * (second @ products @ second))
    return float(1 - first @ products @ second / max(lengths, VANISHED))


def two_means(products: Float64[np.ndarray, "k k"]) -> np.ndarray:
    """Which examples are in the first of two groups ([k], bool), from their dot products alone.

    Of all starts the partition of least within-group squares, ties to the earlier start.
    """
    k = len(products)
    left, right = np.triu_indices(k, 1)
    squares = np.diag(products)
    groups = _nearer(squares[left, None] - 2 * products[left], squares[right, None] - 2 * products[right])
    for _ in range(ROUNDS):
        moved = _nearer(_distance(groups, products), _distance(~groups, products))
        if (moved == groups).all():
            break
        groups = moved
    within = _within(groups, products) + _within(~groups, products)
    best: np.ndarray = groups[int(np.argmin(np.round(within, 9)))]
    return best


def _nearer(one: Float64[np.ndarray, "s k"], other: Float64[np.ndarray, "s k"]) -> np.ndarray:
    """Whether each example is nearer to the first centre; with equal distances it is."""
    near: np.ndarray = one <= other + 1e-12
    return near


def _distance(groups: np.ndarray, products: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "s k"]:
    """Squared distance of every example to the group's mean, less its own square; infinite if it is empty."""
    count = groups.sum(axis=1, keepdims=True)
    share = groups / np.maximum(count, 1)
    pulls = share @ products
    centre = np.einsum("sk,sk->s", pulls, share)[:, None]
    return np.where(count > 0, centre - 2 * pulls, np.inf)


def _within(groups: np.ndarray, products: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, " s"]:
    """Sum of the squared distances of a group's members to their mean."""
    count = np.maximum(groups.sum(axis=1), 1)
    inside = np.einsum("sk,sk->s", groups @ products, groups)
    total: Float64[np.ndarray, " s"] = groups @ np.diag(products) - inside / count
    return total
