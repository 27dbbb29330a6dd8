"""The Zarr v3 arrays of a run: names, chunks, writing and reading."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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

_ACROSS = 256
"""Cells in a row of the raster in which places are stored."""

Block = tuple[slice, np.ndarray]
NeuronBlock = Callable[[int, int], Float32[np.ndarray, "b n"]]
"""Gives the activations of the neurons from `first` up to `last`."""


ACTIVATIONS, PLACES, DECODER = "activations-", "places-", "decoder-"


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
    _write(run, name, blocks(), layout | {"compressors": packing})


def write_array(run: Path, name: str, data: np.ndarray) -> None:
    """Write an array in chunks of whole rows (4 MB), whole or not at all.

    Not compressed: unit vectors don't shrink, and 100 MB of them are read in 0.1 s instead of 0.5 s.
    """
    row_bytes = data.dtype.itemsize * int(np.prod(data.shape[1:]))
    rows = min(max(1, len(data)), max(1, _CHUNK_BYTES // max(1, row_bytes)))
    layout = {"shape": data.shape, "chunks": (rows, *data.shape[1:]), "dtype": data.dtype}
    _write(run, name, [(slice(None), data)], layout | {"compressors": Crc32cCodec()})


def _write(run: Path, name: str, blocks: Iterable[Block], layout: dict[str, Any]) -> None:
    temporary = run / GROUP / (atomic.TEMPORARY + name)
    shutil.rmtree(temporary, ignore_errors=True)
    array = zarr.create_array(temporary, fill_value=0, config={"write_empty_chunks": True}, **layout)
    for rows, block in blocks:
        array[rows] = block
    atomic.sync_tree(temporary)
    shutil.rmtree(run / GROUP / name, ignore_errors=True)
    atomic.publish(temporary, run / GROUP / name)


def open_array(run: Path, name: str, shape: tuple[int | None, ...], dtype: str, stored: int) -> Any:
    """The lazy Zarr array `name` of a run, whose files hold `stored` bytes (0: not known).

    Raises BadRunError when it is missing, damaged, or not of this shape (None: any length) and type.
    """
    with reading(run, name):
        description = json.loads((run / GROUP / name / "zarr.json").read_text(encoding="utf-8"))
        if fault := array_fault(description, shape, dtype, stored):
            raise ValueError(fault)
        return zarr.open_array(run / GROUP / name, mode="r")


@contextmanager
def reading(run: Path, name: str) -> Iterator[None]:
    """Turns what Zarr raises over missing or damaged files into BadRunError."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (what codecs raise over foreign bytes is anybody's guess)
        where = run / GROUP / name
        raise BadRunError(f"{where} can't be read ({error}): copy the run again") from None
