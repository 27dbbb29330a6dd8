"""Each image's nearest neighbours, found once and shared by all neurons and layers of a run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from csp.errors import BadInputError
from csp.method.examples.best_so_far import BestSoFar, InMemory, NewPile
from csp.method.examples.top_k import floor_of_best
from csp.method.threads import in_threads

STORED = 384
"""Neighbours kept per image; chosen by measurement, see docs/method.md."""

EXACT_UP_TO = 200_000
"""So many images are compared all with all, which takes about a quarter of an hour of one processor; above,
an index of approximate neighbours is searched. A run may choose another size."""
HALF_UP_TO = 200_000
"""Of so many images each pair is multiplied once, and what it tells of the later image is laid aside until
its turn: about 3 KB an image, 23 KB where very many are alike. Above, pairs are multiplied twice."""
PIECE = 1024
"""Images whose neighbours are given at once, so that they can be kept while others are searched for. As many
are multiplied with as many: the product fits into a processor's cache."""
TOGETHER = 32
"""Pieces that one is compared with at once, at most: what is found alike of so many is held, 10 KB an image
and piece where all are."""
SAMPLE = 1536
"""Images that tell how similar the nearest of an image are at least."""
CERTAIN = 5
"""Standard deviations by which that is put too low: of one image in a million too few are found then."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The m most similar other images of each image, best first, with their cosines."""

    index: Int32[np.ndarray, "n m"]
    similarity: Float32[np.ndarray, "n m"]


def nearest_neighbours(embeddings: Float[np.ndarray, "n d"], m: int = STORED) -> Neighbours:
    """Find each image's m most similar other images by exact search, block by block.

    `m` is cut to n - 1. Order: cosine (float32 product) descending, ties to the lower index.
    Raises BadInputError for m < 1.
    """
    shape = len(embeddings), min(m, len(embeddings) - 1)
    found = Neighbours(np.empty(shape, np.int32), np.empty(shape, np.float32))

    def keep(first: int, piece: Neighbours) -> None:
        part = slice(first, first + PIECE)
        found.index[part], found.similarity[part] = piece.index, piece.similarity

    with ThreadPoolExecutor(1) as meanwhile:  # memory that is new is slow to write to
        list(meanwhile.map(keep, range(0, len(embeddings), PIECE), neighbour_pieces(embeddings, m)))
    return found


def neighbour_pieces(
    embeddings: Float[np.ndarray, "n d"], m: int = STORED, start: int = 0, new_pile: NewPile = InMemory
) -> Iterator[Neighbours]:
    """The same, `PIECE` images at a time from image `start` on, which is where a piece begins.

    What is known of later pieces is laid aside on a `new_pile` until their turn (`HALF_UP_TO`).

    Each piece is the same to the bit wherever the search began: what two images have in common comes from the
    product of the earlier piece with the later one, be that made once or twice.
    """
    if m < 1:
        raise BadInputError(f"{m} neighbours were asked for; it must be at least 1.")
    embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
    n = len(embeddings)
    yield from _Pairs(embeddings, min(m, n - 1), start == 0 and n <= HALF_UP_TO, new_pile).pieces(start)


def nearest_to(images: Int64[np.ndarray, " b"], embeddings: Float32[np.ndarray, "n d"], m: int) -> Neighbours:
    """The m nearest of some images among all others, m < n, as `nearest_neighbours`."""
    found = Neighbours(np.empty((len(images), m), np.int32), np.empty((len(images), m), np.float32))
    floors = _Floors(embeddings, m)
    for start in range(0, len(images), PIECE):
        rows = images[start : start + PIECE]
        own = embeddings[rows]
        floor: Float32[np.ndarray, " b"] | None = floors.of(own)
        while floor is not None:
            best = BestSoFar(floor, m)
            for begin in range(0, len(embeddings), PIECE):
                tile = own @ embeddings[begin : begin + PIECE].T
                here = np.flatnonzero((rows >= begin) & (rows < begin + PIECE))
                tile[here, rows[here] - begin] = np.nan
                best.see(tile, begin)
            floor = best.lower_floor()
        part = slice(start, start + PIECE)
        found.index[part], found.similarity[part] = best.best()
    return found


class _Floors:
    """A similarity that the m nearest of an image reach, but of one image in a million, and few others do.

    How many of the m nearest lie in a random sample follows the hypergeometric law, whatever the data are: it
    is hardly ever as many as are counted off here, so the last of these lies farther than the m nearest.
    """

    def __init__(self, embeddings: Float32[np.ndarray, "n d"], m: int) -> None:
        n = len(embeddings)
        chosen = np.random.default_rng(0).choice(n, min(SAMPLE, n), replace=False)
        expected = m * len(chosen) / n
        self._sample = embeddings[np.sort(chosen)]
        self._place = int(expected + CERTAIN * expected**0.5) + 3

    def of(self, images: Float32[np.ndarray, "b d"]) -> Float32[np.ndarray, " b"]:
        """Of some images, by their embeddings; minus infinity where the sample is too small to tell."""
        if self._place > len(self._sample):
            return np.full(len(images), -np.inf, dtype=np.float32)
        return floor_of_best(images @ self._sample.T, self._place)[:, 0]


class _Tile(local):
    """Room for one product in each thread, used again: new memory is cleared first, a page at a time."""

    def __init__(self) -> None:
        self.room = np.empty(PIECE * PIECE, dtype=np.float32)


class _Pairs:
    """Pieces against pieces; with `once` a product also tells what concerns the later one, for its turn."""

    def __init__(self, embeddings: Float32[np.ndarray, "n d"], m: int, once: bool, new_pile: NewPile) -> None:
        self._embeddings, self._m, self._floors = embeddings, m, _Floors(embeddings, m)
        self._tile = _Tile()
        begins = range(0, len(embeddings) if once else 0, PIECE)
        floors = in_threads(self._floor, begins)
        self._told = {
            begin: BestSoFar(floor, m, new_pile) for begin, floor in zip(begins, floors, strict=True)
        }

    def pieces(self, start: int) -> Iterator[Neighbours]:
        """The neighbours of pieces from image `start` on; each is put in order while the next is compared."""
        before: BestSoFar | None = None
        for first in range(start, len(self._embeddings), PIECE):
            best = self._told.pop(first, None)
            if best is None:
                best = BestSoFar(self._floor(first), self._m)
                self._meet_earlier(first, best)
            yield from self._meet_later(first, best, self._told, before)
            while (floor := best.lower_floor()) is not None:
                best = BestSoFar(floor, self._m)
                self._meet_earlier(first, best)
                self._meet_later(first, best, {})
            before = best
        if before is not None:
            yield Neighbours(*before.best())

    def _meet_earlier(self, first: int, best: BestSoFar) -> None:
        for begin in range(0, first, PIECE):
            best.see(self._product(begin, first), begin, images_are_columns=True)

    def _meet_later(
        self, first: int, best: BestSoFar, told: dict[int, BestSoFar], before: BestSoFar | None = None
    ) -> list[Neighbours]:
        """`told` take in what concerns them. Gives what `before` found, which is put in order meanwhile."""
        found: list[Neighbours] = []

        def meet(begin: int) -> BestSoFar:
            if begin == first and before is not None:
                found.append(Neighbours(*before.best()))
            part, tile = best.part(), self._product(first, begin)
            part.see(tile, begin)
            if begin in told:
                told[begin].see(tile, first, images_are_columns=True)
            return part

        together = PIECE * TOGETHER
        for start in range(first, len(self._embeddings), together):
            for part in in_threads(meet, range(start, min(start + together, len(self._embeddings)), PIECE)):
                best.add(part)
        return found

    def _product(self, first: int, second: int) -> Float32[np.ndarray, "rows columns"]:
        """Similarities of two pieces, until the thread's next ones; of an image to itself NaN."""
        rows, columns = self._piece(first), self._piece(second)
        tile = self._tile.room[: len(rows) * len(columns)].reshape(len(rows), len(columns))
        np.matmul(rows, columns.T, out=tile)
        if first == second:
            np.fill_diagonal(tile, np.nan)
        return tile

    def _piece(self, first: int) -> Float32[np.ndarray, "b d"]:
        return self._embeddings[first : first + PIECE]

    def _floor(self, first: int) -> Float32[np.ndarray, " b"]:
        return self._floors.of(self._piece(first))
