"""Each image's nearest neighbours where there are too many images to compare all with all: by FAISS.

An inverted file (Jegou, Douze, Schmid, PAMI 2011): k-means deals the images out to lists, and only the lists
nearest to an image are searched, as many as it takes to find `WANTED` of the true neighbours of a sample. The
lists hold half precision and are mapped; what is found is scored again in single precision.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

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
_LISTS_BY_ROOT, _FEWEST_IN_A_LIST = 4, 40
_ADDED_AT_ONCE = 2**14
_SCORED_AT_ONCE = 64


def check_library(images: int, exact_up_to: int) -> None:
    """Before long work: UnavailableError where so many images need FAISS and it is not installed."""
    if images > exact_up_to:
        _faiss()


def approximate_pieces(writer: RunWriter, draft: Run, report: Report) -> Iterator[Neighbours]:
    """As `neighbour_pieces`, from the first image on whose neighbours the writer lacks.

    The index and its recall are kept with the unfinished run: a job that goes on searches the same one.
    """
    embeddings, path = draft.embeddings, writer.index_path
    m = min(draft.manifest.parameters.neighbours, len(embeddings) - 1)
    if not path.exists():
        _build(embeddings, path, report)
    index = _faiss().read_index(str(path), _faiss().IO_FLAG_MMAP | _faiss().IO_FLAG_READ_ONLY)
    if writer.approximate is None:
        writer.keep_approximate(_tuned(index, embeddings, m))
    assert writer.approximate is not None, "just kept"
    index.nprobe = writer.approximate.searched
    for start in range(writer.next_neighbours, len(embeddings), PIECE):
        yield _nearest(index, np.arange(start, min(start + PIECE, len(embeddings))), embeddings, m)


def _faiss() -> Any:
    with optional():
        import faiss
    return faiss


def _build(embeddings: Float32[np.ndarray, "n d"], path: Path, report: Report) -> None:
    faiss, (n, d) = _faiss(), embeddings.shape
    lists = max(1, min(round(_LISTS_BY_ROOT * n**0.5), n // _FEWEST_IN_A_LIST))
    product, half = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(d), d, lists, half, product)
    index.cp.seed, index.cp.spherical = SEED, True
    chosen = np.random.default_rng(SEED).choice(n, min(n, lists * _FEWEST_IN_A_LIST), replace=False)
    index.train(embeddings[np.sort(chosen)])
    stage = Stage("index of neighbours", n, report)
    for start in range(0, n, _ADDED_AT_ONCE):
        index.add(embeddings[start : start + _ADDED_AT_ONCE])
        stage.reached(min(start + _ADDED_AT_ONCE, n))
    temporary = path.with_name(atomic.TEMPORARY + path.name)
    faiss.write_index(index, str(temporary))
    atomic.sync(temporary)
    atomic.publish(temporary, path)


def _tuned(index: Any, embeddings: Float32[np.ndarray, "n d"], m: int) -> ApproximateNeighbours:
    """How many lists are searched, and the share of the true neighbours of a sample that this finds."""
    n = len(embeddings)
    sample = np.sort(np.random.default_rng(SEED).choice(n, min(SAMPLE, n), replace=False))
    true = nearest_to(sample, embeddings, m).index
    index.nprobe, recall = 1, _recall(index, sample, embeddings, true)
    while recall < WANTED and index.nprobe < index.nlist:
        index.nprobe = min(2 * index.nprobe, index.nlist)
        recall = _recall(index, sample, embeddings, true)
    return ApproximateNeighbours(
        lists=index.nlist, searched=index.nprobe, recall=round(recall, 4), sample=len(sample)
    )


def _recall(
    index: Any, sample: Int64[np.ndarray, " s"], embeddings: Float32[np.ndarray, "n d"], true: np.ndarray
) -> float:
    found = _nearest(index, sample, embeddings, true.shape[1]).index
    hits = sum(len(np.intersect1d(*rows)) for rows in zip(found, true, strict=True))
    return hits / max(1, true.size)


def _nearest(
    index: Any, images: Int64[np.ndarray, " b"], embeddings: Float32[np.ndarray, "n d"], m: int
) -> Neighbours:
    """The m nearest of some images: best first, ties to the lower index, cosines in single precision."""
    own = embeddings[images]
    near = index.search(own, m + 1)[1]
    short = (near < 0).any(axis=1)  # the lists that were searched hold too few
    others = near != images[:, None]
    near = near[others & (np.cumsum(others, axis=1) <= m)].reshape(len(images), m)
    similarity = np.empty(near.shape, np.float32)
    for start in range(0, len(images) if m else 0, _SCORED_AT_ONCE):
        rows = slice(start, start + _SCORED_AT_ONCE)
        similarity[rows] = np.einsum("bd,bmd->bm", own[rows], embeddings[near[rows]])
    order = np.lexsort((near, -similarity), axis=1)
    found = Neighbours(
        np.take_along_axis(near, order, axis=1).astype(np.int32),
        np.take_along_axis(similarity, order, axis=1),
    )
    if short.any():
        exact = nearest_to(images[short], embeddings, m)
        found.index[short], found.similarity[short] = exact.index, exact.similarity
    return found
