"""`csp sae index`: the latents of an SAE over the images of a run, as a run of their own.

Pictures, embeddings, vocabulary and neighbours are that run's; the target model alone reads the images again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from csp.errors import NotFoundError
from csp.keeping.code_hash import code_hash
from csp.keeping.run_folder.batches import Batch
from csp.keeping.run_folder.manifest import LayerRecord, Manifest, new_manifest
from csp.keeping.run_folder.plan import Plan
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import Thumbnails
from csp.keeping.run_folder.writer import RunWriter, already_finished
from csp.work.indexing.delivery import place_of
from csp.work.indexing.index import FIRST, check_finite, complete, in_pictures
from csp.work.indexing.precompute import precompute
from csp.work.indexing.probe_dataset import remark_notes
from csp.work.labels.chance import Contrasts
from csp.work.models.notes import model_notes
from csp.work.models.probe_images import ProbeImage, ProbeImages
from csp.work.models.reopen import RunTarget, run_target
from csp.work.models.saes import fit_notes, sae_source
from csp.work.progress import Report, Stage, silent
from csp.work.runs.spec_paths import openable_spec
from csp.world.pictures.heatmap import CropBox, seen_part
from csp.world.protocols.pooling import PATCH
from csp.world.protocols.sae import Sae, SaeOn, latent_layers, open_sae, read_sae

STORED = "came from the run's own copy, as the image file is not here"


def index_latents(run: Run, sae: str, out: str, report: Report = silent) -> Path:
    """Make the run of the latents of `sae`, `LAYER=SPEC`; a job stopped earlier goes on where it was.

    Raises `NotFoundError` for a layer or an SAE, `BadInputError` for one that does not fit or a place that is
    taken, `UnavailableError` where the run's model or pictures are missing.
    """
    job = _open(run, sae)
    with place_of(out, report) as folder:
        made = {} if already_finished(folder, job.plan) else _make(folder, job, report)
        complete(Run.open(folder), job.target, made, report)
    return folder


def _open(run: Run, text: str) -> "LatentsJob":
    layer, spec = read_sae(text)
    one = SaeOn(layer, open_sae(openable_spec(spec)))
    (name,) = latent_layers([one])
    kind, source = f"latents of an SAE ({one.sae.kind})", sae_source(one)
    pooling = next((known.pooling for known in run.manifest.layers if known.layer == layer), "") or "mean"
    record = LayerRecord(layer=name, neurons=0, type=kind, pooling=pooling, sae=source)
    target = run_target(run, [record])
    info = next(info for info in target.model.layers() if info.layer == name)
    changed = {
        "pooling": pooling if len(info.shape) > 1 else "",
        "grid": info.grid if pooling == PATCH else None,
    }
    return LatentsJob(run, record.model_copy(update=changed), one.sae, target)


def _make(folder: Path, job: "LatentsJob", report: Report) -> Mapping[str, Contrasts]:
    run, layer = job.run, job.record.layer
    with RunWriter.open_or_resume(folder, job.plan) as writer:
        job.read(writer, report)
        draft = writer.assemble(job.manifest(folder.name))
        writer.write_decoder(layer, job.sae.directions())
        if run.text_embeddings is not None and not writer.written("vocabulary"):
            writer.write_vocabulary(run.vocabulary, run.text_embeddings)
        if run.neighbours is not None and not (writer.next_neighbours or writer.written("neighbours")):
            if run.manifest.approximate:
                writer.keep_approximate(run.manifest.approximate)
            writer.add_neighbours(run.neighbours)
        contrasts = precompute(writer, draft, report)
        writer.finish((*job.fits(), *remark_notes(writer.remarks)))
    return contrasts


@dataclass(frozen=True)
class LatentsJob:
    """A run, an SAE on one of its layers (`record` is of the latents), and the run's model with that SAE."""

    run: Run
    record: LayerRecord
    sae: Sae
    target: RunTarget

    @property
    def plan(self) -> Plan:
        """What must be the same for a stopped job to go on."""
        return {
            "the images": self.run.fingerprint,
            "saes": [self.sae.weights_hash],
            "layers": [self.record.layer],
            "pooling": self.record.pooling,
        }

    def manifest(self, name: str) -> Manifest:
        """The manifest, but for what the writer counts."""
        made, others = self.run.manifest, tuple(f"{one.layer}: " for one in self.run.manifest.layers)
        sources = (made.target, made.dataset, made.encoder)
        manifest = new_manifest(
            name, sources, (self.record,), made.parameters, code_hash(__name__), made.classes, made.columns
        )
        notes = (note for note in made.notes if not note.startswith(others))
        return manifest.model_copy(
            update={"notes": tuple(dict.fromkeys((*notes, *model_notes(self.target.model))))}
        )

    def fits(self) -> tuple[str, ...]:
        """How well the SAE fits the first images, in a note."""
        pictures = ProbeImages(self.run)
        found = [pictures.picture(image) for image in range(min(FIRST, self.run.manifest.images))]
        batch = np.stack([self.target.model.preprocess(one.image) for one in found])
        return fit_notes(self.target.on([one.beside for one in found]).model, batch)

    def read(self, writer: RunWriter, report: Report) -> None:
        """Read the latents of the images that no earlier job has done; skipped ones make a batch first."""
        run, skipped = self.run, len(self.run.skipped)
        if not writer.next_row and skipped:
            writer.add_batch(self._skipped())
        count, step = run.manifest.images, run.manifest.parameters.batch_size
        stage, pictures = Stage("images", count, report, start=writer.next_row - skipped), ProbeImages(run)
        for start in range(writer.next_row - skipped, count, step):
            writer.add_batch(self._batch(pictures, range(start, min(start + step, count)), skipped))
            stage.reached(writer.next_row - skipped)

    def _skipped(self) -> Batch:
        none, found = np.empty((0, self.run.manifest.dimension), np.float32), self.run.skipped
        table = self.run.images.iloc[:0].drop(columns="image")
        return Batch(0, len(found), table, {}, none, skipped=tuple(found.itertuples(index=False, name=None)))

    def _batch(self, pictures: ProbeImages, images: range, before: int) -> Batch:
        run, layer, rows = self.run, self.record.layer, slice(images.start, images.stop)
        found = [pictures.picture(image) for image in images]
        batch = np.stack([self.target.model.preprocess(one.image) for one in found])
        with self.target.lock:
            output = self.target.on([one.beside for one in found]).model.run(batch, [layer])
        table, places = run.images.iloc[rows].drop(columns="image"), output.places.get(layer)
        paths, parts = list(table["path"]), [] if places is None else [self._seen(one) for one in found]
        check_finite(output.activations[layer], f"the SAE {self.sae.spec}", paths)
        return Batch(
            before + images.start,
            before + images.stop,
            table,
            {layer: output.activations[layer]},
            run.embeddings[rows],
            None if run.probabilities is None else run.probabilities[rows],
            tuple(self._thumbnails(image) for image in images),
            remarks=tuple((path, STORED) for path, one in zip(paths, found, strict=True) if one.remark),
            places={} if places is None else {layer: in_pictures(places, parts)},
        )

    def _seen(self, picture: ProbeImage) -> CropBox:
        return seen_part(self.target.model.preprocess, picture.image.size)

    def _thumbnails(self, image: int) -> Thumbnails:
        try:
            return Thumbnails(self.run.thumbnail(image, "small"), self.run.thumbnail(image, "large"))
        except NotFoundError:
            return Thumbnails()
