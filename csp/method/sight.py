"""Does an encoder see in images what texts name? Measures that need a truth, and some that don't."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.sparse import csr_array

from csp.method.scatter import scatter

PERMUTATIONS, FEW = 999, 99
MOST_IMAGES = 5000
VANISHED = 1e-12
"""Variance below this is rounding."""


@dataclass(frozen=True)
class BesideChance:
    """A measure, and what the same gives where nothing belongs together."""

    value: float
    chance: float
    """The mean over permutations."""
    high: float
    """Their 95 % quantile."""

    @property
    def above(self) -> bool:
        """Whether the measure is above what chance gives."""
        return self.value > self.high


def auroc_interval(auroc: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 % interval of an AUROC, within [0, 1]. Source: Hanley and McNeil 1982, Radiology 143, 29."""
    first, second = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = (
        auroc * (1 - auroc) + (positives - 1) * (first - auroc**2) + (negatives - 1) * (second - auroc**2)
    ) / (positives * negatives)
    half = 1.96 * float(np.sqrt(max(variance, 0.0)))
    return max(0.0, auroc - half), min(1.0, auroc + half)


def image_deviation(
    embeddings: Float[np.ndarray, "n d"], texts: Float[np.ndarray, "t d"], rng: np.random.Generator
) -> BesideChance:
    """How much a text's cosine differs between images (standard deviation), beside texts that have nothing to
    do with the images.

    value^2 = sum_j l_j q_j, l_j the variance of the images along their j-th principal direction and q_j that
    of the texts along it. By chance the texts lie as far out, along other directions: q is permuted. Both 0
    for one image or one text.
    """
    variances, directions = np.linalg.eigh(_scatter(embeddings))
    variances = np.maximum(variances, 0.0)
    along = np.maximum(np.einsum("dj,de,ej->j", directions, _scatter(texts), directions, optimize=True), 0.0)
    orders = rng.permuted(np.tile(along, (PERMUTATIONS, 1)), axis=1)
    return _beside(float(np.sqrt(variances @ along)), np.sqrt(orders @ variances))


def text_deviation(embeddings: Float[np.ndarray, "n d"], texts: Float[np.ndarray, "t d"]) -> float:
    """How much an image's cosine differs between texts: standard deviation, root mean square over images."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    total = np.sum(_scatter(texts) * (_scatter(embeddings) + np.outer(mean, mean)))
    return float(np.sqrt(max(total, 0.0)))


def class_share(
    embeddings: Float[np.ndarray, "n d"],
    texts: Float[np.ndarray, "t d"],
    classes: Int64[np.ndarray, " n"],
    rng: np.random.Generator,
) -> BesideChance:
    """The share of the variance of cosines to texts over images that lies between classes, in [0, 1].

    eta^2 = sum_t sum_c n_c (m_ct - m_t)^2 / sum_t sum_i (c_it - m_t)^2, by chance with the classes permuted.
    0 where nothing varies. Images of class -1, which is not known, are left out; of more than `MOST_IMAGES`
    so many are drawn.
    """
    rows = np.flatnonzero(classes >= 0)
    if len(rows) > MOST_IMAGES:
        rows = rows[rng.choice(len(rows), MOST_IMAGES, replace=False)]
    embeddings, classes = embeddings[rows], classes[rows]
    spread = _scatter(texts)
    images = embeddings.astype(np.float64) - embeddings.mean(axis=0, dtype=np.float64)
    total = float(np.sum((images @ spread) * images))
    counts = np.maximum(np.bincount(classes), 1)[:, None]
    if total <= VANISHED:
        return BesideChance(0.0, 0.0, 0.0)

    def share(order: Int64[np.ndarray, " n"]) -> float:
        rows = np.arange(len(order) + 1)
        sums = csr_array((np.ones(len(order)), order, rows), (len(order), len(counts))).T @ images
        return float(np.sum((sums @ spread) * sums / counts)) / total

    return _beside(share(classes), np.array([share(rng.permutation(classes)) for _ in range(FEW)]))


def _beside(value: float, by_chance: Float64[np.ndarray, " p"]) -> BesideChance:
    return BesideChance(value, float(by_chance.mean()), float(np.quantile(by_chance, 0.95)))


def _scatter(vectors: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "d d"]:
    """The covariance of vectors."""
    return scatter(vectors, vectors.mean(axis=0, dtype=np.float64)) / len(vectors)
