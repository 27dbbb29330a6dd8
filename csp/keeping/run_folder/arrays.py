"""The Zarr v3 arrays of a run: names, chunks, writing and reading."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Float32
from zarr.codecs import Crc32cCodec, ZstdCodec

from csp.errors import BadRunError
from csp.keeping import atomic
from csp.keeping.run_folder.contents import array_fault

GROUP = "arrays.zarr"
EMBEDDINGS, PROBABILITIES, TEXT_EMBEDDINGS = "embeddings", "probabilities", "text_embeddings"
NEIGHBOUR_INDEX, NEIGHBOUR_SIMILARITY = "neighbours-index", "neighbours-similarity"
NEIGHBOURS = (NEIGHBOUR_INDEX, NEIGHBOUR_SIMILARITY)

_SHARD_BYTES = 64 << 20
_CHUNK_BYTES = 4 << 20
MAPPED_BYTES = 16 << 20
"""An array of rows above this size is one raw chunk, which is mapped and not read into memory. A mapped file
that is cut short in place ends the process, so what is small is read."""

_KEYS = {"name": "default", "configuration": {"separator": "/"}}
"""How Zarr calls the file of a chunk: `c/0/0`."""
_ACROSS = 256
"""Cells in a row of the raster in which places are stored."""

Block = tuple[slice, np.ndarray]
NeuronBlock = Callable[[int, int], Float32[np.ndarray, "b n"]]
"""Gives the activations of the neurons from `first` up to `last`."""


ACTIVATIONS, PLACES, DECODER = "activations-", "places-", "decoder-"
BY_NEURON = (ACTIVATIONS, PLACES)


def activations_array(layer_index: int) -> str:
    """Name of the activations array of the layer at this place in the manifest."""
    return f"{ACTIVATIONS}{layer_index}"


def decoder_array(layer_index: int) -> str:
    """Name of the array of directions of the layer there: what each latent of an SAE adds."""
    return f"{DECODER}{layer_index}"


def places_array(layer_index: int) -> str:
    """Name of the array of places of the layer there: where each neuron fires most on each image."""
    return f"{PLACES}{layer_index}"


def packed_places(where: Float32[np.ndarray, "b c 2"]) -> Float32[np.ndarray, "b c"]:
    """Places in pictures (x and y from 0 to 1) as stored: cells of a 256 x 256 raster, row by row."""
    x, y = np.moveaxis(np.clip(np.floor(where * _ACROSS), 0, _ACROSS - 1), 2, 0)
    cells: Float32[np.ndarray, "b c"] = (y * _ACROSS + x).astype(np.float32)
    return cells


def unpacked_places(stored: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, "n 2"]:
    """The middle of each cell; what is no cell, in a run from elsewhere, is taken for the nearest."""
    cells = np.clip(np.nan_to_num(stored), 0, _ACROSS**2 - 1).astype(np.int64)
    return ((np.stack([cells % _ACROSS, cells // _ACROSS], 1) + 0.5) / _ACROSS).astype(np.float32)


def create_group(run: Path) -> None:
    """Make the empty Zarr group of a run."""
    zarr.create_group(run / GROUP, overwrite=False)
    atomic.sync_tree(run / GROUP)


def write_by_neuron(run: Path, name: str, shape: tuple[int, int], block: NeuronBlock) -> None:
    """Write activations or places, `[c, n]`, one chunk per neuron, whole or not at all.

    Holds one shard (64 MB) at a time.
    """
    neurons, images = shape
    shard = min(neurons, max(1, _SHARD_BYTES // (4 * images)))

    def blocks() -> Iterator[Block]:
        for first in range(0, neurons, shard):
            last = min(first + shard, neurons)
            yield slice(first, last), block(first, last)

    layout = {"shape": shape, "chunks": (1, images), "shards": (shard, images), "dtype": np.float32}
    packing = ZstdCodec(level=1, checksum=True)
    _write(run, name, partial(_assign, blocks()), layout | {"compressors": packing})


def write_array(run: Path, name: str, data: np.ndarray) -> None:
    """Write an array that is in memory, as `write_rows`."""
    write_rows(run, name, data.shape, data.dtype, [data])


def write_rows(
    run: Path, name: str, shape: tuple[int, ...], dtype: np.dtype | type, pieces: Iterable[np.ndarray]
) -> None:
    """Write an array given as pieces of consecutive rows, whole or not at all; holds 4 MB and one piece.

    In chunks of whole rows (4 MB), or raw in one where it is large (`MAPPED_BYTES`). Not compressed: unit
    vectors don't shrink, and 100 MB of them are read in 0.1 s instead of 0.5 s.
    """
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape[1:]))
    rows = min(max(1, shape[0]), max(1, _CHUNK_BYTES // max(1, row_bytes)))
    layout = {"shape": shape, "dtype": dtype}
    if row_bytes * shape[0] > MAPPED_BYTES:
        _write(run, name, partial(_append, pieces), layout | {"chunks": shape, "compressors": None})
    else:
        chunks = (rows, *shape[1:])
        fill = partial(_assign, _regrouped(pieces, rows))
        _write(run, name, fill, layout | {"chunks": chunks, "compressors": Crc32cCodec()})


def _regrouped(pieces: Iterable[np.ndarray], rows: int) -> Iterator[Block]:
    """The same rows, so many at a time: a chunk that is written in parts is read and written again."""
    first, waiting = 0, list[np.ndarray]()
    for piece in pieces:
        waiting.append(piece)
        if (there := sum(map(len, waiting))) >= rows:
            block = np.concatenate(waiting)
            whole = there - there % rows
            yield slice(first, first + whole), block[:whole]
            first, waiting = first + whole, [block[whole:]]
    if left := sum(map(len, waiting)):
        yield slice(first, first + left), np.concatenate(waiting)


def _assign(blocks: Iterable[Block], folder: Path, array: Any) -> None:
    for rows, block in blocks:
        array[rows] = block


def _append(pieces: Iterable[np.ndarray], folder: Path, array: Any) -> None:
    """Into the one chunk of an array, which Zarr would hold in memory."""
    path = _only_chunk(folder, array.ndim)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=array.dtype).data)


def _only_chunk(folder: Path, dimensions: int) -> Path:
    return folder.joinpath("c", *["0"] * dimensions)


def _write(run: Path, name: str, fill: Callable[[Path, Any], None], layout: dict[str, Any]) -> None:
    temporary = run / GROUP / (atomic.TEMPORARY + name)
    shutil.rmtree(temporary, ignore_errors=True)
    fill(temporary, zarr.create_array(temporary, fill_value=0, config={"write_empty_chunks": True}, **layout))
    atomic.sync_tree(temporary)
    shutil.rmtree(run / GROUP / name, ignore_errors=True)
    atomic.publish(temporary, run / GROUP / name)


def open_array(run: Path, name: str, shape: tuple[int | None, ...], dtype: str, stored: int) -> Any:
    """The lazy array `name` of a run, whose files hold `stored` bytes (0: not known): Zarr's, or a mapping.

    Raises BadRunError when it is missing, damaged, or not of this shape (None: any length) and type.
    """
    with reading(run, name):
        description = json.loads((run / GROUP / name / "zarr.json").read_text(encoding="utf-8"))
        if fault := array_fault(description, shape, dtype, stored):
            raise ValueError(fault)
        if is_mapped(description):
            path = _only_chunk(run / GROUP / name, len(description["shape"]))
            return np.memmap(path, dtype, "r", shape=tuple(description["shape"])).view(np.ndarray)
        return zarr.open_array(run / GROUP / name, mode="r")


def shards_of(
    run: Path, name: str, layout: tuple[tuple[int | None, ...], str], stored: int, rows: int | slice
) -> list[str]:
    """The files, inside the array's folder, that hold some rows of an array that is stored by neuron; none
    where it is stored otherwise than `write_by_neuron` does.

    Raises BadRunError as `open_array`.
    """
    with reading(run, name):
        description = json.loads((run / GROUP / name / "zarr.json").read_text(encoding="utf-8"))
        if fault := array_fault(description, *layout, stored):
            raise ValueError(fault)
        each, across = description["chunk_grid"]["configuration"]["chunk_shape"]
        if across != description["shape"][1] or description["chunk_key_encoding"] != _KEYS:
            return []
        neurons = range(description["shape"][0])[rows]
    asked = [neurons] if isinstance(neurons, int) else neurons
    return [f"c/{shard}/0" for shard in sorted({neuron // each for neuron in asked})]


def is_mapped(description: Any) -> bool:
    """Whether the `zarr.json` of an array is that of one raw chunk, too large to be read at once."""
    grid, keys = description["chunk_grid"]["configuration"], description["chunk_key_encoding"]
    return (
        4 * int(np.prod([float(length) for length in description["shape"]])) > MAPPED_BYTES
        and grid["chunk_shape"] == description["shape"]
        and description["codecs"] == [{"name": "bytes", "configuration": {"endian": "little"}}]
        and keys == _KEYS
    )


@contextmanager
def reading(run: Path, name: str) -> Iterator[None]:
    """Turns what Zarr raises over missing or damaged files into BadRunError."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (what codecs raise over foreign bytes is anybody's guess)
        where = run / GROUP / name
        raise BadRunError(f"{where} can't be read ({error}): copy the run again") from None
