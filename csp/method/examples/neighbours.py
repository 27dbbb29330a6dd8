"""Each image's nearest neighbours, found once and shared by all neurons and layers of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from csp.errors import BadInputError
from csp.method.examples.top_k import floor_of_best

STORED = 256
"""Neighbours kept per image; chosen by measurement, see docs/method.md."""

BLOCK = 256
"""Images whose similarities to others are held in memory at once."""
MOST_COSINES = 2**22
"""Similarities held in memory at once."""
EXACT_UP_TO = 200_000
"""So many images are compared all with all, which takes about half an hour of one processor; above, an index
of approximate neighbours is searched. A run may choose another size."""
PIECE = 1024
"""Images whose neighbours are given at once, so that they can be kept while others are searched for."""


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
    pieces = list(neighbour_pieces(embeddings, m, block=block))
    return Neighbours(
        np.concatenate([piece.index for piece in pieces]),
        np.concatenate([piece.similarity for piece in pieces]),
    )


def neighbour_pieces(
    embeddings: Float[np.ndarray, "n d"], m: int = STORED, start: int = 0, *, block: int = BLOCK
) -> Iterator[Neighbours]:
    """The same, `PIECE` images at a time from image `start` on, which is where a piece begins.

    Holds no more than `MOST_COSINES` similarities and a piece, however many images there are. Each piece is
    the same to the bit wherever the search began.
    """
    if m < 1 or block < 1:
        raise BadInputError(
            f"{m} neighbours in blocks of {block} images were asked for; both must be at least 1."
        )
    embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
    n = len(embeddings)
    m = min(m, n - 1)
    for first in range(start, n, PIECE):
        images = np.arange(first, min(first + PIECE, n))
        yield nearest_to(images, embeddings, m, block=block)


def nearest_to(
    images: Int64[np.ndarray, " b"], embeddings: Float32[np.ndarray, "n d"], m: int, *, block: int = BLOCK
) -> Neighbours:
    """The m nearest of some images among all others, m < n, as `nearest_neighbours`."""
    found = Neighbours(
        np.empty((len(images), m), dtype=np.int32), np.empty((len(images), m), dtype=np.float32)
    )
    tile = max(MOST_COSINES // block, m + 1)
    buffer = np.empty(min(block, len(images)) * min(tile, len(embeddings)), dtype=np.float32)
    for start in range(0, len(images) if m else 0, block):
        rows = slice(start, start + block)
        found.index[rows], found.similarity[rows] = _block(images[rows], embeddings, m, tile, buffer)
    return found


def _block(
    images: Int64[np.ndarray, " b"],
    embeddings: Float32[np.ndarray, "n d"],
    m: int,
    tile: int,
    buffer: Float32[np.ndarray, " _"],
) -> tuple[Int64[np.ndarray, "b m"], Float32[np.ndarray, "b m"]]:
    """Of a block of images: the others are gone through tile by tile, and the best so far are kept."""
    own, n = embeddings[images], len(embeddings)
    best = np.empty((len(images), 0), dtype=np.int64), np.empty((len(images), 0), dtype=np.float32)
    for start in range(0, n, tile):
        others = embeddings[start : start + tile]
        room = buffer[: len(images) * len(others)].reshape(len(images), len(others))
        similarities = np.matmul(own, others.T, out=room)
        here = np.flatnonzero((images >= start) & (images < start + tile))
        similarities[here, images[here] - start] = -np.inf
        best = _merged(best, start, similarities, m)
    return best


def _merged(
    best: tuple[Int64[np.ndarray, "b k"], Float32[np.ndarray, "b k"]],
    start: int,
    similarities: Float32[np.ndarray, "b w"],
    m: int,
) -> tuple[Int64[np.ndarray, "b m"], Float32[np.ndarray, "b m"]]:
    """The m largest of each row (all, if there are fewer) of what was best so far and a tile that begins at
    `start`: best first, ties to the lower index, without sorting whole rows."""
    index, value = best
    count, width = similarities.shape
    full = index.shape[1] == m
    floor = value[:, -1:] if full else floor_of_best(similarities, min(m, width))
    reached = np.flatnonzero(similarities >= floor)
    row, column = np.divmod(reached, width)
    first = np.searchsorted(row, np.arange(count))  # row by row, columns ascending
    place = np.arange(len(reached)) - first[row] + index.shape[1]
    wide = max(int(place.max(initial=-1)) + 1, index.shape[1])
    values = np.full((count, wide), -np.inf, dtype=np.float32)
    columns = np.zeros((count, wide), dtype=np.int64)
    values[:, : index.shape[1]], columns[:, : index.shape[1]] = value, index
    values[row, place], columns[row, place] = similarities.ravel()[reached], column + start
    order = np.argsort(-values, axis=1, kind="stable")[:, :m]
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)
