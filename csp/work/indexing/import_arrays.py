"""`csp import`: a run from activations and embeddings that were computed elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import file_digest
from pathlib import Path

import numpy as np
import pandas as pd

from csp.counts import counted
from csp.errors import BadInputError
from csp.files import expanded, is_folder, is_regular, open_regular
from csp.keeping.code_hash import code_hash
from csp.keeping.run_folder.batches import Batch
from csp.keeping.run_folder.manifest import (
    LayerRecord,
    Manifest,
    Parameters,
    Source,
    Sources,
    distinct,
    new_manifest,
)
from csp.keeping.run_folder.plan import Plan
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import Thumbnails, make_thumbnails
from csp.keeping.run_folder.writer import RunWriter, already_finished
from csp.method.checks import check_examples, check_gamma
from csp.method.examples.contrast_rule import parse_rule
from csp.method.examples.neighbours import EXACT_UP_TO, STORED
from csp.work.control.control import measure_control_when_made
from csp.work.indexing.approximate import check_library
from csp.work.indexing.delivery import place_of
from csp.work.indexing.npy_files import GivenArray, check_activations, check_vectors, normalised, open_given
from csp.work.indexing.precompute import precompute
from csp.work.indexing.probe_dataset import open_probe_dataset, remark_notes, with_class_names
from csp.work.indexing.vocabulary_file import read_terms
from csp.work.labels.chance import Contrasts, measure_chances
from csp.work.progress import Report, Stage, silent
from csp.work.runs.spec_paths import portable_spec
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.place import Place
from csp.world.protocols.dataset import Dataset

ROWS_AT_ONCE = 256
SLACK = 0.01
"""Rounding of probabilities that were kept in half precision."""
WORKERS = 2
NO_IMAGES = "no images were given, so pages show no pictures"
NO_VOCABULARY = "no vocabulary was given, so neurons have no labels"


@dataclass(frozen=True)
class ImportSpec:
    """What `csp import` is asked to do."""

    activations: Path
    embeddings: Path
    out: str
    images: str | None = None
    """A folder, a CSV file, or a dataset spec; its order is that of the arrays' rows."""
    vocabulary: Path | None = None
    text_embeddings: Path | None = None
    layer: str = "imported"
    probabilities: Path | None = None
    """The target model's class probabilities, images x classes."""
    classes: Path | None = None
    """Their names, one a line in the order of the columns."""
    decoder: Path | None = None
    """Of an SAE: what each latent adds to the layer that it reads, latents x dimensions."""
    parameters: Parameters = field(default_factory=lambda: Parameters(neighbours=STORED))


def import_parameters(
    k: int | None,
    gamma: float | None,
    reuse: bool,
    contrast: str | None = None,
    exact_neighbours: int | None = None,
) -> Parameters:
    """Checked parameters; what is None takes its default. Raises BadInputError."""
    chosen = Parameters(
        k=30 if k is None else k,
        gamma=1.0 if gamma is None else gamma,
        reuse=reuse,
        contrast=str(parse_rule(contrast or "mean")),
        neighbours=STORED,
        exact_up_to=EXACT_UP_TO if exact_neighbours is None else exact_neighbours,
    )
    check_examples(chosen.k)
    check_gamma(chosen.gamma)
    return chosen


def import_arrays(spec: ImportSpec, report: Report = silent) -> Path:
    """Make a run from arrays and return its folder; a job stopped earlier goes on where it was.

    Raises NotFoundError for a missing file, BadInputError for arrays that can't be used together.
    """
    with place_of(spec.out, report) as out:
        job = open_import(spec)
        contrasts = {} if already_finished(out, job.plan) else _make(out, job, report)
        finished = Run.open(out)
        measure_control_when_made(finished, report)
        measure_chances(finished, report, contrasts=contrasts, in_place=True)
    return out


def _make(out: Path, job: "Import", report: Report) -> dict[str, Contrasts]:
    with RunWriter.open_or_resume(out, job.plan) as writer:
        job.copy(writer, report)
        draft = writer.assemble(job.manifest(out.name))
        if job.texts is not None and not writer.written("vocabulary"):
            writer.write_vocabulary(*job.texts)
        if job.decoder is not None:
            writer.write_decoder(job.spec.layer, job.decoder.block(0, job.decoder.rows))
        contrasts = precompute(writer, draft, report)
        writer.finish((*job.notes, *remark_notes(writer.remarks)))
    return contrasts


def open_import(spec: ImportSpec) -> "Import":
    """Open and check everything that `spec` names."""
    activations = open_given(spec.activations, "activations")
    embeddings = open_given(spec.embeddings, "embeddings")
    if activations.rows != embeddings.rows:
        hint = "; are the activations transposed?" if activations.width == embeddings.rows else ""
        raise BadInputError(
            f"the activations have {activations.rows} rows but the embeddings {embeddings.rows}; "
            f"both need one row for each image, in the same order{hint}"
        )
    check_library(activations.rows, spec.parameters.exact_up_to)
    notes = check_activations(activations) + check_vectors(embeddings)
    dataset = None if spec.images is None else _open_images(spec.images, activations.rows)
    texts, text_notes = _open_texts(spec, embeddings.width)
    outputs, output_notes = _open_outputs(spec, activations.rows)
    decoder, decoder_notes = _open_decoder(spec.decoder, activations.width)
    if dataset is not None and outputs is not None:
        dataset = with_class_names(dataset, outputs.classes)
    text_notes = [*text_notes, *output_notes, *decoder_notes]
    notes += [*(dataset.notes if dataset else ()), *text_notes]
    notes += ([] if dataset else [NO_IMAGES]) + ([] if texts else [NO_VOCABULARY])
    return Import(spec, activations, embeddings, dataset, texts, notes, outputs, decoder)


def _open_images(images: str, rows: int) -> Dataset:
    path = expanded(images)
    kind = "folder:" if is_folder(path) else "csv:" if is_regular(path) else ""
    dataset = open_probe_dataset(kind + images)
    if len(dataset.table) != rows:
        raise BadInputError(
            f"{images} lists {len(dataset.table)} images but the arrays have {rows} rows; "
            "both must hold the same images in the same order"
        )
    return dataset


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the target model said of the images."""

    probabilities: GivenArray
    classes: tuple[str, ...]


def _open_outputs(spec: ImportSpec, rows: int) -> tuple[Outputs | None, list[str]]:
    if spec.probabilities is None and spec.classes is None:
        return None, []
    if spec.probabilities is None:
        raise BadInputError("class names belong to class probabilities: give --probabilities, too")
    given = open_given(spec.probabilities, "probabilities")
    if given.rows != rows:
        raise BadInputError(
            f"the probabilities have {given.rows} rows but the arrays {rows}; "
            "both need one row for each image"
        )
    names = [f"class {place}" for place in range(given.width)]
    if spec.classes is not None:
        names = read_terms(spec.classes).table["text"].tolist()
    if len(names) != given.width:
        raise BadInputError(f"{spec.classes} names {len(names)} classes, but there are {given.width} columns")
    return Outputs(given, distinct(names)), _check_probabilities(given)


def _open_decoder(path: Path | None, latents: int) -> tuple[GivenArray | None, list[str]]:
    if path is None:
        return None, []
    given = open_given(path, "decoder")
    if given.rows != latents:
        hint = "; is it transposed?" if given.width == latents else ""
        raise BadInputError(
            f"the decoder has {given.rows} rows, but the activations {latents} columns; it needs a row for "
            f"each latent, with what that adds to the layer{hint}"
        )
    if given.not_finite().any():
        raise BadInputError(f"the decoder in {path} holds numbers that are not finite")
    return given, given.conversion()


def _check_probabilities(given: GivenArray) -> list[str]:
    """Notes; BadInputError names the first row that holds no probabilities."""
    off = 0.0
    for start, block in given.blocks():
        bad = ~np.isfinite(block).all(axis=1) | (block < 0).any(axis=1) | (block > 1 + SLACK).any(axis=1)
        if bad.any():
            raise BadInputError(
                f"row {start + int(bad.argmax())} of the probabilities holds numbers outside 0 to 1: "
                "give what softmax makes of logits"
            )
        off = max(off, float(np.abs(block.sum(axis=1) - 1).max()))
    more = [f"the probabilities of an image add up to 1 only within {off:.2g}"] if off > SLACK else []
    return [*given.conversion(), *more]


def _open_texts(spec: ImportSpec, dimension: int) -> tuple[tuple[pd.DataFrame, np.ndarray] | None, list[str]]:
    if spec.vocabulary is None and spec.text_embeddings is None:
        return None, []
    if spec.vocabulary is None or spec.text_embeddings is None:
        raise BadInputError("a vocabulary and its text embeddings belong together; give both or neither")
    read = read_terms(spec.vocabulary)
    terms = read.table
    given = open_given(spec.text_embeddings, "text embeddings")
    if (given.rows, given.width) != (len(terms), dimension):
        raise BadInputError(
            f"the text embeddings have shape ({given.rows}, {given.width}), but {spec.vocabulary} holds "
            f"{len(terms)} texts and the image embeddings have {dimension} columns"
        )
    notes = [*check_vectors(given), *read.notes]
    first = ~terms["text"].duplicated().to_numpy()
    if not first.all():
        repeated = counted(int((~first).sum()), "repeated text")
        notes.append(f"{repeated} of the vocabulary left out")
    return (terms[first].reset_index(drop=True), normalised(given.block(0, given.rows))[first]), notes


@dataclass(frozen=True, eq=False)
class Import:
    """All that one import needs, opened and checked."""

    spec: ImportSpec
    activations: GivenArray
    embeddings: GivenArray
    dataset: Dataset | None
    texts: tuple[pd.DataFrame, np.ndarray] | None
    notes: list[str]
    outputs: Outputs | None = None
    decoder: GivenArray | None = None

    @cached_property
    def sources(self) -> Sources:
        """Target model, dataset and encoder as the manifest names them: by the arrays that stand for them."""
        target, encoder = (
            Source(spec="", name=given.path.name, hash=_file_hash(given.path))
            for given in (self.activations, self.embeddings)
        )
        if self.dataset is None:
            return target, Source(spec="", name="no images", hash=""), encoder
        data = self.dataset
        return (
            target,
            Source(spec=portable_spec(data.spec), name=data.name, hash=data.fingerprint()),
            encoder,
        )

    @cached_property
    def plan(self) -> Plan:
        """What must be the same for a stopped job to go on."""
        names, files = (
            ("activations", "images", "embeddings"),
            (self.spec.vocabulary, self.spec.text_embeddings),
        )
        more = (self.spec.probabilities, self.spec.classes) if self.outputs else ()
        said = {"probabilities": [_file_hash(path) for path in more if path]} if more else {}
        if self.spec.decoder:
            said["decoder"] = [_file_hash(self.spec.decoder)]
        return {
            **said,
            **{name: source.model_dump() for name, source in zip(names, self.sources, strict=True)},
            "layer": self.spec.layer,
            "vocabulary": [_file_hash(path) for path in files if path],
            "parameters": self.spec.parameters.planned(),
        }

    def manifest(self, name: str) -> Manifest:
        """The manifest, but for what the writer counts."""
        layer = LayerRecord(layer=self.spec.layer, neurons=self.activations.width)
        classes = self.outputs.classes if self.outputs else ()
        return new_manifest(name, self.sources, (layer,), self.spec.parameters, code_hash(__name__), classes)

    def _predictions(self, start: int, stop: int) -> list[str] | None:
        if self.outputs is None:
            return None
        best = self.outputs.probabilities.block(start, stop).argmax(axis=1)
        return [self.outputs.classes[place] for place in best]

    def copy(self, writer: RunWriter, report: Report) -> None:
        """Copy the rows that no earlier job has copied."""
        stage = Stage("images", self.activations.rows, report, start=writer.next_row)
        with ThreadPoolExecutor(WORKERS) as pool:
            for start in range(writer.next_row, self.activations.rows, ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, self.activations.rows)
                writer.add_batch(self._batch(start, stop, pool))
                stage.reached(stop)

    def _batch(self, start: int, stop: int, pool: ThreadPoolExecutor) -> Batch:
        pictures: list[_Seen] = []
        if self.dataset is None:
            table = pd.DataFrame({"path": [None] * (stop - start), "label": None, "split": ""})
            sizes: list[tuple[int, int] | None] = [None] * (stop - start)
        else:
            table = self.dataset.table.iloc[start:stop]
            pictures = list(pool.map(partial(_picture, self.dataset.images), table["path"]))
            sizes = [picture.size for picture in pictures]
        return Batch(
            start,
            stop,
            table.assign(
                width=pd.array([size and size[0] for size in sizes], dtype="Int64"),
                height=pd.array([size and size[1] for size in sizes], dtype="Int64"),
                prediction=self._predictions(start, stop),
            ),
            probabilities=self.outputs.probabilities.block(start, stop) if self.outputs else None,
            activations={self.spec.layer: self.activations.block(start, stop)},
            embeddings=normalised(self.embeddings.block(start, stop)),
            thumbnails=tuple(picture.thumbnails for picture in pictures),
            remarks=tuple(
                (path, remark)
                for path, picture in zip(table["path"], pictures, strict=False)
                for remark in picture.remarks
            ),
        )


@dataclass(frozen=True)
class _Seen:
    """What a picture gives to the run; one that can't be read keeps its row, but has no size."""

    size: tuple[int, int] | None
    thumbnails: Thumbnails
    remarks: tuple[str, ...]


def _picture(place: Place, path: str) -> _Seen:
    try:
        picture = place.picture(path)
    except UnreadableImageError as error:
        return _Seen(None, Thumbnails(), (f"could not be read ({str(error).rstrip('.')})",))
    return _Seen(picture.image.size, make_thumbnails(picture.image), picture.remarks)


def _file_hash(path: Path) -> str:
    with open_regular(path) as file:
        return file_digest(file, "sha256").hexdigest()
