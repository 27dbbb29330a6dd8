"""Each image's nearest neighbours, found once and shared by all neurons and layers of a run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from csp.errors import BadInputError

STORED = 256
"""Neighbours kept per image; chosen by measurement, see docs/method.md."""

BLOCK = 256
"""Images whose similarities to all others are held in memory at once."""

GROUPS_PER_NEIGHBOUR = 8


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The m most similar other images of each image, best first, with their cosines."""

    index: Int32[np.ndarray, "n m"]
    similarity: Float32[np.ndarray, "n m"]


def nearest_neighbours(
    embeddings: Float[np.ndarray, "n d"], m: int = STORED, *, block: int = BLOCK
) -> Neighbours:
    """Find each image's m most similar other images by exact search, block by block.

    `m` is cut to n - 1. Order: cosine (float32 product) descending, ties to the lower index.
    Raises BadInputError for m < 1 or block < 1.
    """
    if m < 1 or block < 1:
        raise BadInputError(
            f"{m} neighbours in blocks of {block} images were asked for; both must be at least 1."
        )
    embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
    n = len(embeddings)
    m = min(m, n - 1)
    index = np.empty((n, m), dtype=np.int32)
    similarity = np.empty((n, m), dtype=np.float32)
    buffer = np.empty((min(block, n), n), dtype=np.float32)
    for start in range(0, n if m else 0, block):
        rows = slice(start, min(start + block, n))
        similarities = np.matmul(embeddings[rows], embeddings.T, out=buffer[: rows.stop - start])
        similarities[np.arange(rows.stop - start), np.arange(start, rows.stop)] = -np.inf
        index[rows], similarity[rows] = _best(similarities, m)
    return Neighbours(index, similarity)


def _best(
    similarities: Float32[np.ndarray, "b n"], m: int
) -> tuple[Int64[np.ndarray, "b m"], Float32[np.ndarray, "b m"]]:
    """The m largest of each row, best first, ties to the lower index, without sorting whole rows."""
    count, n = similarities.shape
    row, column = np.divmod(np.flatnonzero(similarities >= _floor(similarities, m)), n)
    value = similarities[row, column]
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row, np.arange(count))  # `row` is ascending already
    chosen = order[first[:, None] + np.arange(m)]
    return column[chosen], value[chosen]


def _floor(similarities: Float32[np.ndarray, "b n"], m: int) -> Float32[np.ndarray, "b 1"]:
    """A value that at least m entries of each row reach, and few more than m.

    The row is dealt into groups; the m-th largest of the groups' maxima is reached by m entries at least.
    Taking maxima over whole slices is many times faster than partitioning rows of 50,000.
    """
    count, n = similarities.shape
    size = max(1, n // (GROUPS_PER_NEIGHBOUR * m))
    groups = n // size
    maxima = similarities[:, : groups * size].reshape(count, size, groups).max(axis=1)
    return np.partition(maxima, groups - m, axis=1)[:, groups - m, None]
