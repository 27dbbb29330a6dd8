"""Batches of an unfinished run: what one holds, and its one file in the staging folder.

The file appears under its name `rows-START-STOP.safetensors` only when complete: the names are the journal.
So it is with the neighbours of some images, `neighbours-START-STOP.safetensors`. A file carries a hash of
what it holds, which a job that goes on with it checks.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float32
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from csp.keeping import atomic
from csp.keeping.canonical_json import canonical_json
from csp.keeping.run_folder import tables
from csp.keeping.run_folder.thumbnails import Thumbnails
from csp.method.examples.neighbours import Neighbours

ROWS, NEIGHBOURS = "rows", "neighbours"
_SUFFIX = ".safetensors"
_PLACES, _VALUES, _SHAPE = "sparse-places/", "sparse-values/", "sparse-shape/"
"""What stands for an array that is mostly 0: int32 [2, k] (columns and rows, by column), [k] and [2]."""
_HASH = "sha256"
"""In the file's metadata: of all arrays, by name. Batches of an older version have none."""
_GAIN = 2
"""An array is kept as its numbers other than 0 where that takes this many times less room."""


@dataclass(frozen=True)
class Batch:
    """What indexing found for the dataset's rows `start` up to `stop`: b images, the rest skipped.

    `images` holds one row per image, columns `tables.IMAGES` without `image`, then those of the dataset.
    `thumbnails` is empty for a run without images. Every batch has the same layers, in the same order.
    """

    start: int
    stop: int
    images: pd.DataFrame
    activations: dict[str, Float32[np.ndarray, "b _"]]
    embeddings: Float32[np.ndarray, "b d"]
    probabilities: Float32[np.ndarray, "b classes"] | None = None
    thumbnails: tuple[Thumbnails, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    """(path, reason) of each skipped image."""
    remarks: tuple[tuple[str, str], ...] = ()
    """(path, what to know of how it was read), for images of which there is something to say."""
    places: dict[str, Float32[np.ndarray, "b _"]] = field(default_factory=dict)
    """By layer, where each neuron fires most (`Run.places`); of the layers of which that is kept."""


@dataclass(frozen=True)
class StagedBatch:
    """A batch, or neighbours, in the staging folder; its arrays are read in parts, when asked for."""

    path: Path
    start: int
    stop: int

    def table(self, name: str) -> pa.Table:
        """The table `images`, `skipped` or `remarks`."""
        return pa.ipc.open_stream(pa.py_buffer(self.array(name).tobytes())).read_all()

    @property
    def images(self) -> int:
        """How many images it holds; the others of its rows could not be read."""
        return int(self.table("images").num_rows)

    def remarks(self) -> list[tuple[str, str]]:
        """The remarks on its images; none in a batch of an older version."""
        if "remarks" not in self.shapes():
            return []
        return [(row["path"], row["remark"]) for row in self.table("remarks").to_pylist()]

    def array(self, name: str, columns: slice = slice(None)) -> np.ndarray:
        """An array, or some columns of it."""
        with safe_open(self.path, framework="numpy") as file:
            if _VALUES + name in file.keys():  # noqa: SIM118
                return _unpacked(file, name, columns)
            data: np.ndarray = (
                file.get_tensor(name) if columns == slice(None) else file.get_slice(name)[:, columns]
            )
        return data

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every array that the file holds."""
        with safe_open(self.path, framework="numpy") as file:
            names = set(file.keys())
            packed = [name.removeprefix(_SHAPE) for name in names if name.startswith(_SHAPE)]
            whole = names - {kind + name for name in packed for kind in (_PLACES, _VALUES, _SHAPE)}
            return {name: tuple(file.get_slice(name).get_shape()) for name in whole} | {
                name: tuple(file.get_tensor(_SHAPE + name).tolist()) for name in packed
            }

    def thumbnails(self) -> Iterator[Thumbnails]:
        """The pictures, image by image."""
        pictures = self.array("pictures").tobytes()
        ends = np.cumsum(self.array("picture_lengths")).tolist()
        pieces = [pictures[first:last] for first, last in zip([0, *ends], ends, strict=False)]
        yield from (Thumbnails(small, large) for small, large in zip(pieces[::2], pieces[1::2], strict=True))


def save_batch(folder: Path, batch: Batch) -> StagedBatch:
    """Write a batch into the folder, whole or not at all; ValueError when its parts do not fit together."""
    _check(batch)
    return _save(folder, ROWS, batch.start, batch.stop, _contents(batch))


def save_neighbours(folder: Path, start: int, found: Neighbours) -> StagedBatch:
    """Write the neighbours of some images, from `start` on, into the folder, whole or not at all."""
    contents = {
        "index": np.ascontiguousarray(found.index, dtype=np.int32),
        "similarity": np.ascontiguousarray(found.similarity, dtype=np.float32),
    }
    return _save(folder, NEIGHBOURS, start, start + len(found.index), contents)


def _save(folder: Path, kind: str, start: int, stop: int, contents: dict[str, np.ndarray]) -> StagedBatch:
    path = folder / f"{kind}-{start:010d}-{stop:010d}{_SUFFIX}"
    atomic.write_bytes(path, save(contents, {_HASH: _hash_of(contents.items())}))
    return StagedBatch(path, start, stop)


def load_batches(folder: Path, kind: str = ROWS) -> list[StagedBatch]:
    """The staged batches from row 0 on without a gap; a damaged one ends the list and is deleted."""
    batches: list[StagedBatch] = []
    for path in sorted(folder.glob(f"{kind}-*{_SUFFIX}")):
        start, stop = (int(part) for part in path.stem.removeprefix(f"{kind}-").split("-"))
        if start == (batches[-1].stop if batches else 0) and _is_sound(path):
            batches.append(StagedBatch(path, start, stop))
        else:
            path.unlink()
    return batches


def _is_sound(path: Path) -> bool:
    try:
        with safe_open(path, framework="numpy") as file:
            recorded = (file.metadata() or {}).get(_HASH)
            names = file.keys()
            return recorded in (None, _hash_of((name, file.get_tensor(name)) for name in names))
    except (SafetensorError, OSError):
        return False


def _hash_of(arrays: Iterable[tuple[str, np.ndarray]]) -> str:
    """One hash of all; those of the arrays are put together by name, as a file has an order of its own."""
    each = sorted((name, hashlib.sha256(data.data).hexdigest()) for name, data in arrays)
    return hashlib.sha256(canonical_json(each).encode()).hexdigest()


def _contents(batch: Batch) -> dict[str, np.ndarray]:
    columns = {name: kind for name, kind in tables.IMAGES.items() if name != "image"}
    skipped = pd.DataFrame(list(batch.skipped), columns=list(tables.SKIPPED))
    remarks = pd.DataFrame(list(batch.remarks), columns=list(tables.REMARKS))
    contents = {
        "images": _ipc(tables.to_arrow(batch.images, columns)),
        "skipped": _ipc(tables.to_arrow(skipped, tables.SKIPPED)),
        "remarks": _ipc(tables.to_arrow(remarks, tables.REMARKS)),
    }
    if len(batch.images):
        contents |= _arrays(batch)
    return {name: np.ascontiguousarray(data) for name, data in contents.items()}


def _arrays(batch: Batch) -> dict[str, np.ndarray]:
    arrays: dict[str, Any] = {"embeddings": batch.embeddings}
    if batch.probabilities is not None:
        arrays["probabilities"] = batch.probabilities
    arrays = {name: np.asarray(data, dtype=np.float32) for name, data in arrays.items()}
    for kind, by_layer in (("activations", batch.activations), ("places", batch.places)):
        for layer, data in by_layer.items():
            arrays |= _packed(f"{kind}/{layer}", np.asarray(data, dtype=np.float32))
    if batch.thumbnails:
        pictures = [picture for pair in batch.thumbnails for picture in (pair.small, pair.large)]
        arrays["pictures"] = np.frombuffer(b"".join(pictures), dtype=np.uint8)
        arrays["picture_lengths"] = np.array([len(picture) for picture in pictures], dtype=np.int64)
    return arrays


def _packed(name: str, data: Float32[np.ndarray, "b c"]) -> dict[str, np.ndarray]:
    """The array under its name, or what stands for it where it is mostly 0 (bit for bit: -0.0 is kept)."""
    bits = np.ascontiguousarray(data).view(np.uint32)
    if _GAIN * np.count_nonzero(bits) * (2 * 4 + 4) > data.nbytes:
        return {name: data}
    columns, rows = np.nonzero(bits.T)
    return {
        _PLACES + name: np.stack([columns, rows]).astype(np.int32),
        _VALUES + name: data[rows, columns],
        _SHAPE + name: np.array(data.shape, dtype=np.int64),
    }


def _unpacked(file: Any, name: str, columns: slice) -> Float32[np.ndarray, "b _"]:
    height, width = file.get_tensor(_SHAPE + name).tolist()
    first, last, _ = columns.indices(width)
    at, rows = file.get_tensor(_PLACES + name)
    here = slice(*np.searchsorted(at, (first, last)).tolist())
    data = np.zeros((height, last - first), dtype=np.float32)
    data[rows[here], at[here] - first] = file.get_tensor(_VALUES + name)[here]
    return data


def _ipc(table: pa.Table) -> np.ndarray:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return np.frombuffer(sink.getvalue(), dtype=np.uint8)


def _check(batch: Batch) -> None:
    images = len(batch.images)
    if images + len(batch.skipped) != batch.stop - batch.start:
        raise ValueError(
            f"rows {batch.start} to {batch.stop} are not {images} images and {len(batch.skipped)} skipped"
        )
    if not images:
        return
    lengths = {layer: len(data) for layer, data in batch.activations.items()}
    lengths |= {f"places of {layer}": len(data) for layer, data in batch.places.items()}
    lengths["embeddings"] = len(batch.embeddings)
    if batch.probabilities is not None:
        lengths["probabilities"] = len(batch.probabilities)
    if batch.thumbnails:
        lengths["thumbnails"] = len(batch.thumbnails)
    if wrong := {name: length for name, length in lengths.items() if length != images}:
        raise ValueError(f"a batch of {images} images holds other lengths: {wrong}")
