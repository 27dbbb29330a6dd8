"""Each image's nearest neighbours where there are too many images to compare all with all.

An inverted file (Jegou, Douze, Schmid, PAMI 2011): k-means, by FAISS, deals the images out to lists, and only
the lists nearest to an image's own are searched, as many as it takes to find `WANTED` of the true neighbours
of a sample. All images of a list are searched for at once, as one product of matrices in single precision:
what is found is exact but for what lies in other lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from csp.extras import optional
from csp.keeping import atomic
from csp.keeping.run_folder.manifest import ApproximateNeighbours
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.writer import RunWriter
from csp.method.examples.neighbours import PIECE, Neighbours, nearest_to
from csp.work.progress import Report, Stage

SAMPLE = 256
"""Images whose true neighbours are found, to measure the recall."""
WANTED = 0.98
"""The recall at which no more lists are searched."""
SEED = 0
TOGETHER = 2**18
"""Images whose neighbours are held until all of them are found: the more, the fuller the products are."""
_LISTS_BY_ROOT, _FEWEST_IN_A_LIST = 4, 40
_DEALT_AT_ONCE = 2**14


def check_library(images: int, exact_up_to: int) -> None:
    """Before long work: UnavailableError where so many images need FAISS and it is not installed."""
    if images > exact_up_to:
        _faiss()


def approximate_pieces(writer: RunWriter, draft: Run, report: Report) -> Iterator[Neighbours]:
    """As `neighbour_pieces`, from the first image on whose neighbours the writer lacks.

    The lists and their recall are kept with the unfinished run: a job that goes on searches the same ones,
    and searches again for what was held.
    """
    embeddings, path, first = draft.embeddings, writer.lists_path, writer.next_neighbours
    n = len(embeddings)
    m = min(draft.manifest.parameters.neighbours, n - 1)
    if not path.exists():
        _deal(embeddings, path, report)
    with np.load(path) as kept:
        lists = _Lists(kept["centres"], kept["of"])
    if writer.approximate is None:
        writer.keep_approximate(_tuned(lists, embeddings, m))
    assert writer.approximate is not None, "just kept"
    for start in range(first // TOGETHER * TOGETHER, n, TOGETHER):
        images = np.arange(start, min(start + TOGETHER, n))
        found = _nearest(images, lists, writer.approximate.searched, embeddings, m, report)
        for piece in range(max(first, start), int(images[-1]) + 1, PIECE):
            rows = slice(piece - start, piece - start + PIECE)
            yield Neighbours(found.index[rows], found.similarity[rows])


@dataclass(frozen=True, eq=False)
class _Lists:
    """Images dealt out to lists, each around a centre of length 1."""

    centres: Float32[np.ndarray, "l d"]
    of: Int32[np.ndarray, " n"]
    """Each image's list."""

    @cached_property
    def _in_order(self) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " l+1"]]:
        """Images list by list, and where each list begins."""
        order = np.argsort(self.of, kind="stable")
        return order, np.searchsorted(self.of[order], np.arange(len(self.centres) + 1))

    def nearest(self, one: int) -> Int64[np.ndarray, " l"]:
        """All lists by how near they are to this one, itself first."""
        cosines = self.centres @ self.centres[one]
        cosines[one] = np.inf
        return np.argsort(-cosines, kind="stable")

    def images(self, which: Int64[np.ndarray, " w"]) -> Int64[np.ndarray, " i"]:
        """The images of some lists, ascending."""
        order, begins = self._in_order
        return np.sort(np.concatenate([order[begins[one] : begins[one + 1]] for one in which]))


def _faiss() -> Any:
    with optional():
        import faiss
    return faiss


def _deal(embeddings: Float32[np.ndarray, "n d"], path: Path, report: Report) -> None:
    """Find the lists and keep them."""
    faiss, (n, d) = _faiss(), embeddings.shape
    count = max(1, min(round(_LISTS_BY_ROOT * n**0.5), n // _FEWEST_IN_A_LIST))
    stage = Stage("lists of neighbours", n, report)
    stage.reached(0)
    chosen = np.random.default_rng(SEED).choice(n, min(n, count * _FEWEST_IN_A_LIST), replace=False)
    means = faiss.Kmeans(d, count, niter=10, spherical=True, seed=SEED, min_points_per_centroid=1)
    means.train(embeddings[np.sort(chosen)])
    of = np.empty(n, dtype=np.int32)
    for start in range(0, n, _DEALT_AT_ONCE):
        rows = slice(start, start + _DEALT_AT_ONCE)
        of[rows] = means.index.search(np.ascontiguousarray(embeddings[rows]), 1)[1][:, 0]
        stage.reached(min(start + _DEALT_AT_ONCE, n))
    file = BytesIO()
    np.savez(file, centres=means.centroids, of=of)
    atomic.write_bytes(path, file.getvalue())


def _tuned(lists: _Lists, embeddings: Float32[np.ndarray, "n d"], m: int) -> ApproximateNeighbours:
    """How many lists are searched, and the share of the true neighbours of a sample that lie in these."""
    n, searched, recall = len(embeddings), 1, 1.0
    sample = np.sort(np.random.default_rng(SEED).choice(n, min(SAMPLE, n), replace=False))
    if m:
        true = nearest_to(sample, embeddings, m).index
        places = (np.argsort(lists.nearest(one)) for one in lists.of[sample])
        ranks = np.array([place[lists.of[row]] for place, row in zip(places, true, strict=True)])
        searched += int(np.quantile(ranks, WANTED, method="inverted_cdf"))
        recall = round(float(np.mean(ranks < searched)), 4)
    return ApproximateNeighbours(
        lists=len(lists.centres), searched=searched, recall=recall, sample=len(sample)
    )


def _nearest(
    images: Int64[np.ndarray, " b"],
    lists: _Lists,
    searched: int,
    embeddings: Float32[np.ndarray, "n d"],
    m: int,
    report: Report,
) -> Neighbours:
    """The m nearest of consecutive images among the lists that are searched."""
    found = Neighbours(np.empty((len(images), m), np.int32), np.empty((len(images), m), np.float32))
    stage = Stage("search for neighbours", len(images), report)
    done = 0
    for one in np.unique(lists.of[images]):
        rows = np.flatnonzero(lists.of[images] == one)
        among = lists.images(lists.nearest(one)[:searched])
        if len(among) > m:
            near = nearest_to(np.searchsorted(among, images[rows]), embeddings[among], m)
            found.index[rows], found.similarity[rows] = among[near.index], near.similarity
        else:  # these lists hold too few
            near = nearest_to(images[rows], embeddings, m)
            found.index[rows], found.similarity[rows] = near.index, near.similarity
        done += len(rows)
        stage.reached(done)
    return found
