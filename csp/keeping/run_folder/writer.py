"""Writing a run: batch by batch into `<out>.partial`, so that a killed job resumes, then published at once.

`docs/run-format.md` describes the staging folder and shows how a writer is used.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError, UnavailableError
from csp.keeping import atomic, lock
from csp.keeping.canonical_json import canonical_json
from csp.keeping.piles import PileOnDisk
from csp.keeping.run_folder import arrays, tables
from csp.keeping.run_folder.assemble import assemble, describe, first_reason
from csp.keeping.run_folder.batches import (
    NEIGHBOURS,
    ROWS,
    Batch,
    StagedBatch,
    load_batches,
    save_batch,
    save_neighbours,
)
from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.manifest import (
    MANIFEST_NAME,
    ApproximateNeighbours,
    Manifest,
    read_manifest,
    write_manifest,
)
from csp.keeping.run_folder.plan import PLAN_NAME, Plan, check_same_plan, first_difference, read_plan
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.trust import keep_trust
from csp.method.examples.best_so_far import NewPile
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.outlying import outlying_images, sampled_neurons

_APPROXIMATE_NAME = "neighbours.json"


def staging_folder(out: Path) -> Path:
    """Where an unfinished run is kept."""
    return out.with_name(out.name + ".partial")


def already_finished(out: Path, plan: Plan) -> bool:
    """Whether `out` is a finished run of this very plan; False when nothing is there yet.

    When it is, the staging folder of a job that was killed just after publishing is removed.

    Raises
    ------
    BadInputError
        Something else is there: a run with another plan (the first difference is named) or no run at all.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not (out / MANIFEST_NAME).is_file():
        raise BadInputError(f"{out} exists and is not a run: choose another --out")
    if difference := first_difference(read_manifest(out).plan, plan):
        raise BadInputError(
            f"{out} is a finished run that was made otherwise: {difference}; "
            "choose another --out, or delete it"
        )
    _remove_leftovers(staging_folder(out))
    return True


def _remove_leftovers(staging: Path) -> None:
    if not staging.exists():
        return
    with suppress(UnavailableError):  # its owner is removing it right now
        descriptor = lock.acquire(staging)
        shutil.rmtree(staging)
        lock.release(descriptor)


@contextmanager
def _writing() -> Iterator[None]:
    """Turns a full disk and missing rights into one sentence."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise UnavailableError(
            f"the run can't be written ({error.strerror or error}{where}): what is done is kept; "
            "make room or allow writing, then repeat the command"
        ) from None


class RunWriter:
    """One job writing one run. Mistakes of the caller raise ValueError."""

    def __init__(self, out: Path, plan: Plan, descriptor: int) -> None:
        self.out = out
        self.plan = plan
        self._lock = descriptor
        self._staging = staging_folder(out)
        self._folder = self._staging / "run"
        self._batches: list[StagedBatch] = []
        self._neighbours: list[StagedBatch] = []
        self._draft: Run | None = None

    @classmethod
    @_writing()
    def open_or_resume(cls, out: Path, plan: Plan) -> Self:
        """Start a run, or go on where a killed job with the same plan stopped.

        Raises
        ------
        BadInputError
            `out` exists already, or its staging folder holds a job with another plan.
        UnavailableError
            Another process is writing this run, or the place can't be written to.
        """
        out = out.absolute()
        if already_finished(out, plan):
            raise BadInputError(f"{out} is finished already: open it, or choose another --out")
        staging = staging_folder(out)
        staging.mkdir(parents=True, exist_ok=True)
        writer = cls(out, plan, lock.acquire(staging))
        try:
            if (out / MANIFEST_NAME).exists():
                raise BadInputError(f"{out} was finished by another job just now: open it")
            writer._resume()
        except BaseException:
            writer.close()
            raise
        return writer

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock; what was written stays for the next job."""
        self.close()

    def close(self) -> None:
        """Release the lock."""
        if self._lock >= 0:
            lock.release(self._lock)
            self._lock = -1

    def _resume(self) -> None:
        stored = read_plan(self._staging / PLAN_NAME)
        if stored is None:
            if any(path.name.startswith(f"{ROWS}-") for path in self._staging.iterdir()):
                raise BadInputError(
                    f"{self._staging} has lost its {PLAN_NAME}: delete the folder to start afresh"
                )
            atomic.write_bytes(self._staging / PLAN_NAME, canonical_json(self.plan).encode())
        elif stored != self.plan:
            self._start_afresh(stored)
        atomic.remove_temporaries(self._staging)
        self._batches = load_batches(self._staging)
        self._neighbours = load_batches(self._staging, NEIGHBOURS)

    def _start_afresh(self, stored: Plan) -> None:
        """What another plan left is removed when it holds not one image; BadInputError when it does."""
        if any(batch.images for batch in load_batches(self._staging)):
            check_same_plan(self._staging, stored, self.plan)
        self._remove_batches()
        atomic.write_bytes(self._staging / PLAN_NAME, canonical_json(self.plan).encode())

    def _remove_batches(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for kind in (ROWS, NEIGHBOURS):
            for path in self._staging.glob(f"{kind}-*"):
                path.unlink()

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """(path, remark) of every image of which there is something to say, of all batches."""
        return [remark for batch in self._batches for remark in batch.remarks()]

    @property
    def next_row(self) -> int:
        """The first dataset row that no batch holds yet: all rows before it are done."""
        return self._batches[-1].stop if self._batches else 0

    @_writing()
    def add_batch(self, batch: Batch) -> None:
        """Keep the next batch; when this returns, no kill or power cut loses it."""
        if batch.start != self.next_row:
            raise ValueError(f"the next batch starts at row {self.next_row}, not {batch.start}")
        self._batches.append(save_batch(self._staging, batch))

    @_writing()
    def assemble(self, manifest: Manifest) -> Run:
        """Build the arrays, tables and thumbnails from the batches, and open them as an unpublished run.

        Activations are transposed block by block: memory stays under about 300 MB plus the embeddings. Parts
        that a killed job completed are kept.

        Raises
        ------
        BadInputError
            Not one image could be read.
        """
        if not (self._folder / arrays.GROUP / "zarr.json").exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            arrays.create_group(self._folder)
        draft = describe(self._batches, manifest.model_copy(update={"plan": self.plan}))
        if draft.images == 0:
            reason = first_reason(self._batches)
            shutil.rmtree(self._staging)  # nothing in it is worth keeping, and it would block the next try
            raise BadInputError(f"not one image could be read for {self.out}: the first {reason}")
        assemble(self._folder, draft, self._batches)
        self._draft = _without_outlying(Run(self._folder, draft))
        return self._draft

    def written(self, part: str) -> bool:
        """Whether a killed job already wrote a part: `neighbours`, `vocabulary`, `neurons-0`, `decoder-1`."""
        if part == "neighbours":
            return (self._folder / arrays.GROUP / arrays.NEIGHBOUR_SIMILARITY).exists()
        if part.startswith(arrays.DECODER):
            return (self._folder / arrays.GROUP / part).exists()
        return (self._folder / tables.location(part)).exists()

    @property
    def next_neighbours(self) -> int:
        """The first image whose neighbours are not kept yet."""
        return self._neighbours[-1].stop if self._neighbours else 0

    @_writing()
    def add_neighbours(self, neighbours: Neighbours) -> None:
        """Keep the nearest neighbours of the next images; when this returns, no kill or power cut loses them.

        Those of the last images make them part of the run, for all layers.
        """
        images, start = self._assembled.manifest.images, self.next_neighbours
        shape = neighbours.index.shape
        if shape != neighbours.similarity.shape or not 0 < len(neighbours.index) <= images - start:
            raise ValueError(f"neighbours of shape {shape} do not belong to {images} images from {start} on")
        self._neighbours.append(save_neighbours(self._staging, start, neighbours))
        self.gather_neighbours()

    @_writing()
    def gather_neighbours(self) -> None:
        """Make the neighbours part of the run, where those of all images are kept."""
        images = self._assembled.manifest.images
        if self.next_neighbours < images or self.written("neighbours"):
            return
        for name, part, kind in (
            (arrays.NEIGHBOUR_INDEX, "index", np.int32),
            (arrays.NEIGHBOUR_SIMILARITY, "similarity", np.float32),
        ):
            shape = images, self._neighbours[0].shapes()[part][1]
            pieces = (piece.array(part) for piece in self._neighbours)
            arrays.write_rows(self._folder, name, shape, kind, pieces)
        for piece in self._neighbours:
            piece.path.unlink()

    @contextmanager
    def piles(self) -> Iterator[NewPile]:
        """Piles on disk, for what a search lays aside; they are gone when it ends."""
        with _writing(), TemporaryDirectory(prefix=atomic.TEMPORARY, dir=self._staging) as folder:
            yield partial(PileOnDisk, Path(folder))

    @property
    def lists_path(self) -> Path:
        """Where lists for finding neighbours are kept until the run is finished."""
        return self._staging / "neighbours.npz"

    @property
    def approximate(self) -> ApproximateNeighbours | None:
        """How well these lists find them, as it was kept; None: not kept."""
        path = self._staging / _APPROXIMATE_NAME
        return ApproximateNeighbours.model_validate_json(path.read_bytes()) if path.exists() else None

    @_writing()
    def keep_approximate(self, found: ApproximateNeighbours) -> None:
        """Remember it for the manifest, and for a job that goes on."""
        atomic.write_bytes(self._staging / _APPROXIMATE_NAME, found.model_dump_json().encode())

    def write_vocabulary(self, vocabulary: pd.DataFrame, embeddings: Float32[np.ndarray, "t d"]) -> None:
        """Store the label texts (columns `tables.VOCABULARY`) and their embeddings, in the same order."""
        if embeddings.shape != (len(vocabulary), self._assembled.manifest.dimension):
            raise ValueError(f"text embeddings of shape {embeddings.shape} for {len(vocabulary)} texts")
        self._put_array(arrays.TEXT_EMBEDDINGS, embeddings.astype(np.float32, copy=False))
        self._put_table("vocabulary", vocabulary, tables.VOCABULARY)

    def write_decoder(self, layer: str, directions: Float32[np.ndarray, "c d"]) -> None:
        """Store what each latent of the layer adds to the layer that its SAE reads."""
        record = self._assembled.layer(layer)
        if len(directions) != record.neurons:
            raise ValueError(f"{len(directions)} directions for the {record.neurons} latents of {layer!r}")
        name = arrays.decoder_array(self._layer_index(layer))
        if not self.written(name):
            self._put_array(name, directions.astype(np.float32, copy=False))

    def write_neurons(self, layer: str, neurons: pd.DataFrame) -> None:
        """Store a layer's table of neurons (columns `tables.NEURONS`): one row per neuron, in order."""
        record = self._assembled.layer(layer)
        if neurons["neuron"].tolist() != list(range(record.neurons)):
            raise ValueError(f"the table of layer {layer!r} must list its {record.neurons} neurons in order")
        self._put_table(f"neurons-{self._layer_index(layer)}", neurons, tables.NEURONS)

    def write_labels(self, layer: str, labels: pd.DataFrame) -> None:
        """Store a layer's precomputed labels (columns `tables.LABELS`)."""
        self._put_table(f"labels-{self._layer_index(layer)}", labels, tables.LABELS)

    @_writing()
    def finish(self, notes: tuple[str, ...] = ()) -> Path:
        """Publish the run under its name, in one rename, and remove the staging folder; returns `out`.

        Every part was synced when it was written.
        """
        manifest = self._assembled.manifest
        outlying = (self._assembled.outlying_note(layer) for layer in self._assembled.layers)
        manifest = manifest.model_copy(
            update={
                "notes": (*manifest.notes, *notes, *(f"{one}." for one in outlying if one)),
                "approximate": self.approximate,
                "files": file_records(self._folder),
            }
        )
        write_manifest(self._folder, manifest)
        with suppress(OSError):  # then it has to be trusted by name
            keep_trust(manifest, "made here", self.out.name)
        atomic.publish(self._folder, self.out)
        self._draft = None
        shutil.rmtree(self._staging)
        self.close()
        return self.out

    @_writing()
    def _put_array(self, name: str, data: np.ndarray) -> None:
        arrays.write_array(self._folder, name, data)

    @_writing()
    def _put_table(self, name: str, frame: pd.DataFrame, columns: tables.Columns) -> None:
        tables.write_table(self._folder / tables.location(name), tables.to_arrow(frame, columns))

    @property
    def _assembled(self) -> Run:
        if self._draft is None:
            raise ValueError("call assemble() first")
        return self._draft

    def _layer_index(self, layer: str) -> int:
        return self._assembled.layers.index(layer)


def _without_outlying(draft: Run) -> Run:
    """The run, its layers with the images on which they give way."""
    layers = []
    for record in draft.manifest.layers:
        outlying = outlying_images(draft.columns(record.layer, sampled_neurons(record.neurons)))
        layers.append(record.model_copy(update={"outlying": tuple(np.flatnonzero(outlying).tolist())}))
    return Run(draft.path, draft.manifest.model_copy(update={"layers": tuple(layers)}))
