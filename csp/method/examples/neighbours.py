"""Each image's nearest neighbours, found once and shared by all neurons and layers of a run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from csp.errors import BadInputError
from csp.method.examples.top_k import floor_of_best

STORED = 256
"""Neighbours kept per image; chosen by measurement, see docs/method.md."""

BLOCK = 256
"""Images whose similarities to all others are held in memory at once; fewer where there are very many."""
MOST_COSINES = 2**22
"""Similarities held in memory at once."""


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
    block = min(block, n, max(1, MOST_COSINES // max(1, n)))
    buffer = np.empty((block, n), dtype=np.float32)
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
    reached = np.flatnonzero(similarities >= floor_of_best(similarities, m))
    row, column = np.divmod(reached, n)
    value = similarities.ravel()[reached]
    first = np.searchsorted(row, np.arange(count))  # row by row, columns ascending
    place = np.arange(len(reached)) - first[row]
    ragged = np.full((count, place.max() + 1), np.inf, dtype=np.float32)
    ragged[row, place] = -value
    chosen = first[:, None] + np.argsort(ragged, axis=1, kind="stable")[:, :m]
    return column[chosen], value[chosen]
