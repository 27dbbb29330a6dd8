"""`csp index`: every probe image through the target model and the encoder in one pass, into a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError, NotFoundError
from csp.keeping.code_hash import code_hash
from csp.keeping.run_folder.arrays import packed_places
from csp.keeping.run_folder.batches import Batch
from csp.keeping.run_folder.manifest import (
    ColumnRecord,
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
from csp.keeping.run_folder.writer import RunWriter, already_finished
from csp.method.examples.contrast_rule import parse_rule
from csp.work.attribution.measure import measure_attribution_when_indexed
from csp.work.control.control import measure_control_when_made
from csp.work.engines.engine import Engine
from csp.work.indexing.approximate import check_library
from csp.work.indexing.delivery import place_of
from csp.work.indexing.loader import Prepared, Preparer, Unreadable
from csp.work.indexing.precompute import precompute
from csp.work.indexing.probe_dataset import open_probe_dataset, remark_notes, with_class_names
from csp.work.indexing.spec import IndexSpec
from csp.work.indexing.vocabulary_file import Vocabulary, read_vocabulary
from csp.work.labels.chance import Contrasts, measure_chances
from csp.work.models.notes import model_notes
from csp.work.models.reopen import RunTarget
from csp.work.models.saes import fit_notes, sae_source, with_saes
from csp.work.progress import Report, Stage, silent
from csp.work.runs.spec_paths import openable_spec, portable_spec
from csp.world.pictures.heatmap import CropBox, seen_part
from csp.world.protocols.columns import Column, records, settle, target_columns
from csp.world.protocols.dataset import Dataset
from csp.world.protocols.encoder import Encoder, open_encoder
from csp.world.protocols.pooling import PATCH, pooling_of, read_pooling
from csp.world.protocols.sae import SaeOn, read_sae
from csp.world.protocols.target import LayerInfo, TargetModel, open_target
from csp.world.protocols.templates import TEMPLATES
from csp.world.specs.registry import nearest

TEXTS_AT_ONCE = 1024
"""So many texts of a vocabulary are embedded at a time: memory does not grow with it, and progress shows."""
FIRST = 32
"""Images by which an SAE is told to fit."""
NO_VOCABULARY = "no vocabulary was given, so neurons have no labels; give --vocabulary to get them"


def index(spec: IndexSpec, report: Report = silent) -> Path:
    """Make the run that `spec` describes and return its folder; a job stopped earlier goes on where it was.

    A finished run of the same spec is left as it is; one for a server is sent there. Raises BadInputError,
    NotFoundError and UnavailableError for specs that can't be opened, and BadInputError when the place is
    taken by something else.
    """
    with place_of(spec.out, report) as out:
        job = open_job(spec)
        job.check_files(report)
        contrasts = {} if already_finished(out, job.plan) else _make(out, job, report)
        complete(Run.open(out), job.run_target, contrasts, report)
    return out


def complete(run: Run, target: RunTarget, contrasts: Mapping[str, Contrasts], report: Report) -> None:
    """Add to a run that was just made what every new one has; what an earlier job added is kept."""
    measure_attribution_when_indexed(run, target, report)
    measure_control_when_made(run, report)
    measure_chances(run, report, contrasts=contrasts, in_place=True)


def _make(out: Path, job: "IndexJob", report: Report) -> dict[str, Contrasts]:
    with RunWriter.open_or_resume(out, job.plan) as writer:
        job.compute(writer, report)
        draft = writer.assemble(job.manifest(out.name))
        job.write_vocabulary(writer, draft, report)
        for layer, one in job.latents.items():
            writer.write_decoder(layer, one.sae.directions())
        contrasts = precompute(writer, draft, report)
        writer.finish((*job.notes, *job.fits(), *remark_notes(writer.remarks)))
    return contrasts


def open_job(spec: IndexSpec) -> "IndexJob":
    """Open the models, the dataset and the vocabulary that `spec` names, and check that they fit."""
    vocabulary = read_vocabulary(spec.vocabulary) if spec.vocabulary else None
    dataset = open_probe_dataset(spec.data)
    check_library(len(dataset.table), spec.exact_neighbours)
    target = open_target(openable_spec(spec.model), pooling=spec.pooling)
    target, latents = with_saes(target, [read_sae(text) for text in spec.saes])
    dataset = with_class_names(dataset, distinct(target.classes))
    names = (*spec.layers, *(name for name in latents if name not in spec.layers))
    layers = _choose_layers(target, names)
    for layer in read_pooling(spec.pooling)[1]:
        if layer not in names:
            raise BadInputError(
                f"the pooling names the layer {layer!r}, which is not read; name it as a layer too"
            )
    columns, missing = settle(target_columns(target), dataset.table)
    dataset = replace(dataset, notes=(*dataset.notes, *missing))
    encoder = open_encoder(openable_spec(spec.encoder))
    return IndexJob(spec, target, encoder, dataset, layers, vocabulary, latents, columns)


def _batch_of(spec: IndexSpec) -> Callable[[tuple[int, int]], Batch]:
    """What a worker of a cluster does with the spec."""
    return open_job(spec).batch


def _choose_layers(target: TargetModel, names: Sequence[str]) -> tuple[LayerInfo, ...]:
    known = {info.layer: info for info in target.layers()}
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f" ({len(known)} exist)"
            raise NotFoundError(
                f"{target.name} has no layer {name!r}{hint}; `csp layers {target.spec}` lists all"
            )
    if len(set(names)) < len(names):
        raise BadInputError(f"a layer is named twice in {', '.join(names)}; name each once")
    return tuple(known[name] for name in names)


@dataclass(frozen=True, eq=False)
class IndexJob:
    """All that one indexing job needs, opened and checked."""

    spec: IndexSpec
    target: TargetModel
    encoder: Encoder
    dataset: Dataset
    layers: tuple[LayerInfo, ...]
    vocabulary: Vocabulary | None
    latents: Mapping[str, SaeOn] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    """What the model takes beside the picture, with what enters where an image lacks it."""

    @property
    def run_target(self) -> RunTarget:
        """The target model as the run will open it."""
        return RunTarget(self.target, columns=self.columns).on([{}])

    @cached_property
    def sources(self) -> Sources:
        """Target model, dataset and encoder as the manifest names them."""
        spec, target, encoder = self.spec, self.target, self.encoder
        model, data, words = (
            spec.names.model or target.name,
            spec.names.data or self.dataset.name,
            spec.names.encoder,
        )
        return (
            Source(spec=portable_spec(spec.model), name=model, hash=target.weights_hash),
            Source(spec=portable_spec(spec.data), name=data, hash=self.dataset.fingerprint()),
            Source(spec=portable_spec(spec.encoder), name=words or encoder.name, hash=encoder.weights_hash),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the models, the images and the vocabulary before relying on the run."""
        texts = self.vocabulary.notes if self.vocabulary else (NO_VOCABULARY,)
        return (*model_notes(self.target), *model_notes(self.encoder), *self.dataset.notes, *texts)

    def fits(self) -> tuple[str, ...]:
        """How well the SAEs fit the first images, in notes."""
        if not self.latents:
            return ()
        rows = next(self._preparer.batches(self._paths.iloc[:FIRST], FIRST, self.spec.workers, 0), ())
        images = [row for row in rows if isinstance(row, Prepared)]
        if not images:
            return ()
        beside = records(self.dataset.table.iloc[[image.row for image in images]])
        return fit_notes(self.run_target.on(beside).model, np.stack([image.target for image in images]))

    def check_files(self, report: Report) -> None:
        """Hash every image file, which takes a while with many: a changed one makes another run."""
        stage = Stage("checking files", len(self.dataset.table), report)
        stage.reached(0)
        _ = self.sources
        stage.reached(stage.total)

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters that decide numbers."""
        spec = self.spec
        return Parameters(
            k=spec.k,
            reuse=spec.reuse,
            contrast=str(parse_rule(spec.contrast)),
            gamma=spec.gamma,
            templates=spec.templates or TEMPLATES,
            renormalise=spec.renormalise,
            neighbours=spec.neighbours,
            exact_up_to=spec.exact_neighbours,
            batch_size=spec.batch_size,
        )

    @cached_property
    def plan(self) -> Plan:
        """What must be the same for a stopped job to go on."""
        names = ("model", "data", "encoder")
        return {
            **{name: source.model_dump() for name, source in zip(names, self.sources, strict=True)},
            "layers": [info.layer for info in self.layers],
            "pooling": self.spec.pooling,
            "parameters": self.parameters.planned(),
            "vocabulary": None if self.vocabulary is None else _table_hash(self.vocabulary.table),
            **({"saes": [one.sae.weights_hash for one in self.latents.values()]} if self.latents else {}),
        }

    def manifest(self, name: str) -> Manifest:
        """The manifest, but for what the writer counts."""
        layers = tuple(self._layer_record(info) for info in self.layers)
        columns = tuple(ColumnRecord(**vars(one)) for one in self.columns)
        return new_manifest(
            name, self.sources, layers, self.parameters, code_hash(__name__), self.target.classes, columns
        )

    def _layer_record(self, info: LayerInfo) -> LayerRecord:
        pooling = pooling_of(self.spec.pooling, info.layer) if len(info.shape) > 1 else ""
        found = self.latents.get(info.layer)
        sae = None if found is None else sae_source(found)
        kind = info.type if found is None else f"latents of an SAE ({found.sae.kind})"
        grid = info.grid if pooling == PATCH else None
        return LayerRecord(layer=info.layer, neurons=0, type=kind, pooling=pooling, sae=sae, grid=grid)

    def compute(self, writer: RunWriter, report: Report) -> None:
        """Run both models over the images that no earlier job has done."""
        stage = Stage("images", len(self.dataset.table), report, start=writer.next_row)
        widths: dict[str, int] = {}
        for batch in self._batches(writer.next_row):
            _check_widths(batch, widths, self.target.name)
            writer.add_batch(batch)
            stage.reached(writer.next_row)

    def _batches(self, start: int) -> Iterator[Batch]:
        count, size = len(self.dataset.table), self.spec.batch_size
        if self.spec.engine == "local":  # decodes the next images while the models compute
            return map(self._computed, self._preparer.batches(self._paths, size, self.spec.workers, start))
        rows = [(first, min(first + size, count)) for first in range(start, count, size)]
        engine = Engine(self.spec.engine, self.spec.address)
        return engine.each(rows, self.batch, partial(_batch_of, self.spec))

    def batch(self, rows: tuple[int, int]) -> Batch:
        """What both models give for the rows from the first up to the second of the dataset, one batch."""
        first, last = rows
        found = self._preparer.batches(self._paths.iloc[:last], last - first, self.spec.workers, first)
        return self._computed(next(found))

    @property
    def _paths(self) -> pd.Series:
        return self.dataset.table["path"]

    @property
    def _preparer(self) -> Preparer:
        return Preparer(self.target, self.encoder, self.dataset.images)

    def _computed(self, rows: list[Prepared | Unreadable]) -> Batch:
        images = [row for row in rows if isinstance(row, Prepared)]
        paths = self.dataset.table["path"]
        skipped = tuple((paths.iloc[row.row], row.reason) for row in rows if isinstance(row, Unreadable))
        table = self.dataset.table.iloc[[image.row for image in images]].assign(
            width=[image.width for image in images],
            height=[image.height for image in images],
            prediction=None,
        )
        start, stop = rows[0].row, rows[-1].row + 1
        if not images:
            return Batch(
                start, stop, table, {}, np.empty((0, self.encoder.dimension), np.float32), skipped=skipped
            )
        target = self.run_target.on(records(table)).model
        batch = np.stack([image.target for image in images])
        output = target.run(batch, [info.layer for info in self.layers])
        embeddings = self.encoder.embed_images(np.stack([image.encoder for image in images]))
        names = list(table["path"])
        for layer, activations in output.activations.items():
            check_finite(activations, f"layer {layer} of the target model {self.target.name}", names)
        if output.probabilities is not None:
            check_finite(output.probabilities, f"the target model {self.target.name}", names)
        check_finite(embeddings, f"the encoder {self.encoder.name}", names)
        seen = [self._seen((image.width, image.height)) for image in images]
        table["prediction"] = _predictions(distinct(self.target.classes), output.probabilities)
        return Batch(
            start,
            stop,
            table,
            activations=output.activations,
            embeddings=embeddings,
            probabilities=output.probabilities,
            thumbnails=tuple(image.thumbnails for image in images),
            skipped=skipped,
            remarks=tuple((paths.iloc[image.row], remark) for image in images for remark in image.remarks),
            places={layer: in_pictures(where, seen) for layer, where in output.places.items()},
        )

    @cached_property
    def _seen(self) -> Callable[[tuple[int, int]], CropBox]:
        return lru_cache(maxsize=256)(partial(seen_part, self.target.preprocess))

    def write_vocabulary(self, writer: RunWriter, draft: Run, report: Report) -> None:
        """Embed the vocabulary, some texts at a time, and write it into the unpublished run."""
        if self.vocabulary is None or writer.written("vocabulary"):
            return
        parameters = draft.manifest.parameters
        texts = list(self.vocabulary.table["text"])
        embeddings = np.empty((len(texts), self.encoder.dimension), np.float32)
        stage = Stage("texts", len(texts), report)
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = texts[start : start + TEXTS_AT_ONCE]
            embedded = self.encoder.embed_texts(part, parameters.templates, parameters.renormalise)
            embeddings[start : start + len(part)] = embedded
            stage.reached(start + len(part))
        writer.write_vocabulary(self.vocabulary.table, embeddings)


def in_pictures(where: Float32[np.ndarray, "b c 2"], parts: Sequence[CropBox]) -> Float32[np.ndarray, "b c"]:
    """Places in the model's input as places in the pictures, of which it sees these parts, as stored."""
    corners = np.array([[part.left, part.top] for part in parts], np.float32)[:, None]
    ends = np.array([[part.right, part.bottom] for part in parts], np.float32)[:, None]
    return packed_places(corners + where * (ends - corners))


def check_finite(values: np.ndarray, what: str, paths: Sequence[str]) -> None:
    """Raise BadInputError naming the first image for which a model gave NaN or infinity."""
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise BadInputError(
            f"{what} gives values that are not numbers (NaN or infinite) for "
            f"{paths[int(np.argmin(finite))]}; "
            "its weights or its input's mean and std can't be right: check the checkpoint"
        )


def _check_widths(batch: Batch, widths: dict[str, int], model: str) -> None:
    """Raise BadInputError for a layer of other neurons than before; remembers how many there were."""
    for layer, activations in batch.activations.items():
        neurons = activations.shape[1]
        before = widths.setdefault(layer, neurons)
        if neurons != before:
            raise BadInputError(
                f"layer {layer} of the target model {model} gives {neurons} neurons for the images from row "
                f"{batch.start} on, but {before} before: it changes with the pictures, so it can't be "
                "indexed; choose another layer"
            )


def _predictions(classes: tuple[str, ...], probabilities: np.ndarray | None) -> list[str] | None:
    if not classes or probabilities is None:
        return None
    return [classes[best] for best in probabilities.argmax(axis=1)]


def _table_hash(table: pd.DataFrame) -> str:
    return sha256(table.to_json(orient="values").encode()).hexdigest()
