"""What the parts of a run must hold: all is compared with the manifest before anything relies on it.

A run may come from anywhere. Each function returns the first thing that is wrong, in a few words, or None.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from csp.keeping.run_folder.manifest import LayerRecord, Manifest
from csp.keeping.run_folder.manifest_faults import MOST

_AT_ONCE = 2**22
"""So many numbers are looked at together."""
_CODECS = {"bytes", "zstd", "crc32c", "sharding_indexed"}


def array_fault(description: Any, shape: tuple[int | None, ...], dtype: str, stored: int) -> str | None:
    """Of the `zarr.json` of an array: another shape (None: any) or type, or more than `stored` bytes hold
    (0: not known).

    Codecs that the program does not write are refused: some of Zarr's run code, others take any memory.
    """
    found = description["shape"]
    chunks = description["chunk_grid"]["configuration"]["chunk_shape"]
    if description["node_type"] != "array" or description["data_type"] != dtype:
        return f"it holds {description['data_type']!r} instead of {dtype!r}"
    if not (_are_counts(found, len(shape)) and _are_counts(chunks, len(shape))):
        return f"its shape is {found!r}, in chunks of {chunks!r}"
    if any(wanted is not None and length != wanted for length, wanted in zip(found, shape, strict=True)):
        return f"its shape is {tuple(found)} instead of {tuple('any' if n is None else n for n in shape)}"
    if any(chunk > max(1, length) for chunk, length in zip(chunks, found, strict=True)):
        return f"its chunks of {chunks} are larger than it"
    if description.get("storage_transformers"):
        return "it has storage transformers"
    names, packed = _codecs(description["codecs"])
    if unknown := sorted(names - _CODECS):
        return f"it has the codecs {', '.join(unknown)}"
    if stored and not packed and 4 * int(np.prod([float(length) for length in found])) > stored:
        return f"{stored} bytes can't hold its shape {tuple(found)}"
    return None


def _are_counts(numbers: Any, how_many: int) -> bool:
    if not isinstance(numbers, list) or len(numbers) != how_many:
        return False
    return all(type(n) is int and 0 <= n < MOST for n in numbers)


def _codecs(codecs: Any) -> tuple[set[str], bool]:
    """The names of all codecs, and whether one makes the data smaller."""
    names: set[str] = set()
    for codec in codecs:
        names.add(str(codec["name"]))
        inner = codec.get("configuration", {})
        for part in ("codecs", "index_codecs"):
            names |= _codecs(inner.get(part, ()))[0]
    return names, "zstd" in names


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows of an array at a time: it may be mapped, and larger than the memory."""
    rows = max(1, _AT_ONCE // max(1, values[:1].size))
    yield from (values[start : start + rows] for start in range(0, len(values), rows))


def values_fault(name: str, values: np.ndarray, images: int) -> str | None:
    """Of an array that was read: neighbours that are no images, numbers that are none."""
    if values.dtype.kind == "i":
        return None if ((values >= 0) & (values < images)).all() else f"it names images beyond the {images}"
    return None if np.isfinite(values).all() else f"{name} holds numbers that are not finite"


def same_type(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column is of the type that it must have; moments may be finer or coarser."""
    if pa.types.is_list(wanted):
        return pa.types.is_list(found) and same_type(found.value_type, wanted.value_type)
    if pa.types.is_timestamp(wanted):
        return pa.types.is_timestamp(found) and (found.tz is None) == (wanted.tz is None)
    return bool(found == wanted)


def is_simple(kind: pa.DataType) -> bool:
    """Whether a dataset's own column holds what a screen can show: texts, numbers, moments, true or false."""
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_temporal,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def images_fault(frame: pd.DataFrame, manifest: Manifest) -> str | None:
    """Of the table of images."""
    return _rows(frame, manifest.images) or _nulls(frame, ("image",))


def skipped_fault(frame: pd.DataFrame, manifest: Manifest) -> str | None:
    """Of the table of images that could not be read."""
    return _rows(frame, manifest.skipped)


def vocabulary_fault(frame: pd.DataFrame) -> str | None:
    """Of the label texts."""
    if not all(isinstance(named, list) and all(named) for named in frame["attributes"]):
        return "a text's attributes are no list of names"
    return _nulls(frame, ("text", "broad"))


def neurons_fault(frame: pd.DataFrame, record: LayerRecord, images: int) -> str | None:
    """Of the table of a layer's neurons: all of them in order, with examples among the images."""
    if not len(frame):
        return None
    if fault := _rows(frame, record.neurons) or _nulls(frame, ("neuron", "state")):
        return fault
    if not np.array_equal(frame["neuron"], np.arange(record.neurons)):
        return "it does not list the neurons in order"
    columns = ("activating", "activation", "contrastive", "contrastive_activation", "similarity")
    if not all(isinstance(cell, np.ndarray) for name in columns for cell in frame[name]):
        return "a neuron's examples are missing"
    lengths = {name: frame[name].map(len).to_numpy() for name in columns}
    if not all(np.array_equal(lengths[name], lengths["activating"]) for name in columns):
        return "a neuron's examples are of different lengths"
    if (lengths["activating"] > images).any():
        return "a neuron has more examples than there are images"
    for name, least in (("activating", 0), ("contrastive", -1)):
        named = np.concatenate([*frame[name], np.zeros(0, dtype=np.int64)])
        if named.dtype.kind != "i" or ((named < least) | (named >= images)).any():
            return f"its column {name} names images beyond the {images}"
    return None


def firing_examples(frame: pd.DataFrame) -> pd.DataFrame:
    """The examples of neurons without the silent images that versions before 2.1 filled them up with."""
    activations = [frame["activation"].iloc[row] for row in range(len(frame))]
    silent = [row for row, own in enumerate(activations) if own.size and not own.min() > 0]
    if not silent:
        return frame
    frame = frame.copy()
    fires = {row: activations[row] > 0 for row in silent}
    for name in ("activating", "activation", "contrastive", "contrastive_activation", "similarity"):
        column = frame[name].tolist()
        for row, kept in fires.items():
            column[row] = column[row][kept]
        frame[name] = pd.Series(column, frame.index, dtype=object)
    return frame


def labels_fault(frame: pd.DataFrame, neurons: int) -> str | None:
    """Of a table with a neuron in each row, of a layer that has so many."""
    if fault := _nulls(frame, [name for name in ("neuron", "labeler", "rank", "label") if name in frame]):
        return fault
    if not frame["neuron"].between(0, neurons - 1).all():
        return f"it names neurons beyond the {neurons}"
    return None


def addition_fault(frame: pd.DataFrame, manifest: Manifest) -> str | None:
    """Of a table that was added: neurons that its layer lacks, images that the run lacks."""
    if {"layer", "neuron"} <= set(frame):
        of_layer = {one.layer: one.neurons for one in manifest.layers}
        for layer, rows in frame.groupby("layer", sort=False):
            if fault := labels_fault(rows, of_layer.get(str(layer), MOST)):
                return fault
    if "image" in frame and not frame["image"].between(0, manifest.images - 1).all():
        return f"it names images beyond the {manifest.images}"
    if "activating" in frame and not all(_are_images(cell, manifest.images) for cell in frame["activating"]):
        return f"it names images beyond the {manifest.images}"
    return None


def _are_images(cell: Any, images: int) -> bool:
    return isinstance(cell, list | np.ndarray) and all(0 <= image < images for image in cell)


def _rows(frame: pd.DataFrame, wanted: int) -> str | None:
    return None if len(frame) == wanted else f"it has {len(frame)} rows instead of {wanted}"


def _nulls(frame: pd.DataFrame, columns: Any) -> str | None:
    empty = [name for name in columns if frame[name].isna().any()]
    return f"its column {empty[0]} has gaps" if empty else None
