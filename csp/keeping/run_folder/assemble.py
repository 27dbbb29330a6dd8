"""From image-wise batches to the arrays, tables and thumbnails of a run, in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from csp.keeping.run_folder import arrays, tables
from csp.keeping.run_folder.batches import StagedBatch
from csp.keeping.run_folder.manifest import Manifest
from csp.keeping.run_folder.thumbnails import OFFSETS_NAME, write_pack

_ROW_ARRAYS = (arrays.EMBEDDINGS, arrays.PROBABILITIES)


def describe(batches: Sequence[StagedBatch], manifest: Manifest) -> Manifest:
    """The manifest with images, skipped, dimension and neurons per layer as found in the batches.

    Batches that disagree on layers or shapes raise ValueError: they come from different jobs.
    """
    skipped = sum(batch.table("skipped").num_rows for batch in batches)
    filled = _filled(batches)
    if not filled:
        return manifest.model_copy(update={"skipped": skipped})
    shapes = _common_shapes(filled)
    staged = [name.removeprefix("activations/") for name in shapes if name.startswith("activations/")]
    if sorted(staged) != sorted(record.layer for record in manifest.layers):
        raise ValueError(f"the batches hold the layers {staged}, the manifest others")
    neurons = {layer: shapes[f"activations/{layer}"][1] for layer in staged}
    layers = tuple(r.model_copy(update={"neurons": neurons[r.layer]}) for r in manifest.layers)
    counts = {
        "images": sum(batch.table("images").num_rows for batch in filled),
        "skipped": skipped,
        "dimension": shapes["embeddings"][1],
    }
    return manifest.model_copy(update=counts | {"layers": layers})


def first_reason(batches: Sequence[StagedBatch]) -> str:
    """What was wrong with the first skipped image."""
    skipped = _concatenated(batches, "skipped").slice(0, 1).to_pylist()
    return (
        f"is {skipped[0]['path']}: {skipped[0]['reason']}" if skipped else "is missing, the dataset is empty"
    )


def assemble(run: Path, manifest: Manifest, batches: Sequence[StagedBatch]) -> None:
    """Write the parts of the run that are not there yet, each whole or not at all."""
    filled = _filled(batches)
    for index, record in enumerate(manifest.layers):
        shape = record.neurons, manifest.images
        if not _has(run, arrays.activations_array(index)):
            columns = _Columns(filled, f"activations/{record.layer}")
            arrays.write_by_neuron(run, arrays.activations_array(index), shape, columns)
        if record.grid and not _has(run, arrays.places_array(index)):
            columns = _Columns(filled, f"places/{record.layer}")
            arrays.write_by_neuron(run, arrays.places_array(index), shape, columns)
    for name in _ROW_ARRAYS:
        if name in filled[0].shapes() and not _has(run, name):
            shape = manifest.images, filled[0].shapes()[name][1]
            arrays.write_rows(run, name, shape, np.float32, (batch.array(name) for batch in filled))
    if "pictures" in filled[0].shapes() and not (run / OFFSETS_NAME).exists():
        write_pack(run, (pair for batch in filled for pair in batch.thumbnails()))
    images = _concatenated(batches, "images")
    numbers = pa.array(np.arange(images.num_rows, dtype=np.int64))
    tables.write_table(run / tables.location("images"), images.add_column(0, "image", numbers))
    tables.write_table(run / tables.location("skipped"), _concatenated(batches, "skipped"))


@dataclass(frozen=True)
class _Columns:
    """The activations of some neurons on all images, gathered from the batches, transposed."""

    batches: Sequence[StagedBatch]
    name: str

    def __call__(self, first: int, last: int) -> Float32[np.ndarray, "b n"]:
        return np.concatenate(
            [batch.array(self.name, slice(first, last)).T for batch in self.batches], axis=1
        )


def _filled(batches: Sequence[StagedBatch]) -> list[StagedBatch]:
    return [batch for batch in batches if "embeddings" in batch.shapes()]


def _common_shapes(batches: Sequence[StagedBatch]) -> dict[str, tuple[int, ...]]:
    """The shapes of the first batch, when all others agree but for the number of images."""
    counted = {"images", "skipped", "pictures"}  # bytes, not rows
    first = _shapes(batches[0])
    for batch in batches:
        for name, shape in (shapes := _shapes(batch)).items():
            if name not in counted and shape[1:] != first.get(name, ())[1:]:
                raise ValueError(
                    f"{name} of {batch.path.name} has shape {shape}, the first batch {first.get(name)}"
                )
        if shapes.keys() != first.keys():
            raise ValueError(f"{batch.path.name} does not hold the same arrays as the first batch")
    return first


def _shapes(batch: StagedBatch) -> dict[str, tuple[int, ...]]:
    """Of all that becomes part of the run: remarks become notes."""
    return {name: shape for name, shape in batch.shapes().items() if name != "remarks"}


def _concatenated(batches: Sequence[StagedBatch], name: str) -> pa.Table:
    """A table over all batches; a column that was empty in some takes its type from the others."""
    parts = [batch.table(name) for batch in batches]
    return pa.concat_tables(parts, promote_options="permissive").combine_chunks()


def _has(run: Path, name: str) -> bool:
    return (run / arrays.GROUP / name).exists()
