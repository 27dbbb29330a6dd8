"""Builds small but real runs for the tests of every floor, through the real writer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.batches import Batch
from csp.keeping.run_folder.manifest import LayerRecord, Manifest, Parameters, Source
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import make_thumbnails
from csp.keeping.run_folder.writer import RunWriter
from csp.method.attribution import attribution, deviations
from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import select_examples
from csp.method.labelers.registry import LABELERS, best_labels
from csp.method.states import neuron_states
from csp.work.attribution.class_attribution import CLASS_ATTRIBUTION
from csp.work.labels.scorer import scorer_of

IMAGES, NEURONS, DIMENSION, BATCH, K = 40, 6, 8, 7, 5
LAYERS = ("early", "late")
CLASSES = ("nevus", "melanoma")
ATTRIBUTES = ("ruler", "hairs")
SKIPPED_ROWS = (3, 20)
TERMS: tuple[tuple[str, list[str], bool], ...] = (
    ("ruler marks", ["ruler"], False),
    ("a ruler", ["ruler"], False),
    ("hairs", ["hairs"], False),
    ("dark hair", ["hairs"], False),
    ("hairs beside a ruler", ["ruler", "hairs"], False),
    ("skin lesion", [], True),
    ("mole", [], True),
    ("melanoma", [], True),
    ("blue-white veil", [], False),
    ("bicycle", [], False),
    ("snow", [], False),
    ("ink <b>&", [], False),
)
PLAN: dict[str, Any] = {"model": "drawn:tiny", "data": {"spec": "drawn:40", "hash": "d" * 64}, "k": K}


def draw(row: int) -> Image.Image:
    """A lesion on skin, with a ruler and hairs where the row says so."""
    image = Image.new("RGB", (500, 300) if row % 5 == 0 else (120, 90), (224, 180 - row, 160))
    pen = ImageDraw.Draw(image)
    width, height = image.size
    pen.ellipse((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=(90 + row, 60, 50))
    if row % 2:
        pen.line((0, 8, width, 8), fill="black", width=3)
    if row % 3 == 0:
        pen.line((0, height, width, 0), fill=(40, 30, 20), width=2)
    return image


def embeddings(images: int = IMAGES) -> np.ndarray:
    """Unit rows; the first two dimensions follow the attributes."""
    rows = np.arange(images)
    noise = np.random.default_rng(1).normal(size=(images, DIMENSION))
    noise[:, 0] += 3 * (rows % 2)
    noise[:, 1] += 3 * (rows % 3 == 0)
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


def activations(layer: int, images: int = IMAGES) -> np.ndarray:
    """Six neurons: ruler, hairs, never fires, constant, negative, non-finite."""
    rows = np.arange(images)
    noise = np.random.default_rng(2 + layer).random((images, NEURONS))
    noise[:, 0] += 2 * (rows % 2)
    noise[:, 1] += 2 * (rows % 3 == 0)
    noise[:, 2] = 0
    noise[:, 3] = 0.5
    noise[:, 4] -= 2
    noise[5, 5] = np.nan
    return noise.astype(np.float32)


def batches(start: int = 0, size: int = BATCH) -> Iterator[Batch]:
    """The batches of the tiny run from a row on; two rows are unreadable."""
    for first in range(start, IMAGES + len(SKIPPED_ROWS), size):
        yield batch(first, min(first + size, IMAGES + len(SKIPPED_ROWS)))


def batch(start: int, stop: int) -> Batch:
    """The batch of some rows of the dataset."""
    kept = [row for row in range(start, stop) if row not in SKIPPED_ROWS]
    at = [row - sum(gap < row for gap in SKIPPED_ROWS) for row in kept]
    pictures = [draw(image) for image in at]
    odds = np.random.default_rng(9).random((IMAGES, 1))[at]
    return Batch(
        start=start,
        stop=stop,
        images=image_rows(at, pictures, odds),
        activations={layer: activations(index)[at] for index, layer in enumerate(LAYERS)},
        embeddings=embeddings()[at],
        probabilities=np.hstack([1 - odds, odds]).astype(np.float32),
        thumbnails=tuple(make_thumbnails(picture) for picture in pictures),
        skipped=tuple((f"broken/{row}.png", "not an image") for row in SKIPPED_ROWS if start <= row < stop),
    )


def image_rows(images: list[int], pictures: list[Image.Image], odds: np.ndarray) -> pd.DataFrame:
    """The table rows of some images."""
    return pd.DataFrame(
        {
            "path": [f"lesions/{image:03}.png" for image in images],
            "label": [CLASSES[image % 2] for image in images],
            "split": ["test" if image % 4 == 0 else "" for image in images],
            "width": [picture.width for picture in pictures],
            "height": [picture.height for picture in pictures],
            "prediction": [CLASSES[int(odd > 0.5)] for odd in odds[:, 0]],
            "ruler": [image % 2 == 1 for image in images],
            "hairs": [image % 3 == 0 for image in images],
            "skin_tone": ["II" if image % 2 else "V" for image in images],
        }
    )


def manifest(name: str = "tiny") -> Manifest:
    """The manifest of the tiny run."""
    return Manifest(
        name=name,
        created=datetime.now(UTC),
        csp_version="0.1.0",
        code="c" * 64,
        libraries={"numpy": np.__version__},
        target=Source(spec="drawn:tiny", name="tiny classifier", hash="a" * 64),
        dataset=Source(spec="drawn:40", name="drawn lesions", hash="d" * 64),
        encoder=Source(spec="drawn:clip", name="tiny encoder", hash="e" * 64),
        layers=tuple(LayerRecord(layer=layer, neurons=0, type="Conv2d", pooling="mean") for layer in LAYERS),
        classes=CLASSES,
        parameters=Parameters(k=K, templates=("a photo of {}",), neighbours=10, batch_size=BATCH),
    )


def text_embeddings() -> np.ndarray:
    """Unit rows; texts that name an attribute lie in its dimension."""
    noise = np.random.default_rng(4).normal(size=(len(TERMS), DIMENSION))
    for row, (_, named, _) in enumerate(TERMS):
        for attribute in named:
            noise[row, ATTRIBUTES.index(attribute)] += 4
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


def neuron_rows(run: Run, layer: str) -> pd.DataFrame:
    """The table of neurons, one after the other."""
    rows = []
    for neuron in range(run.layer(layer).neurons):
        values = run.activations(layer, neuron)
        examples = select_examples(values, run.embeddings, K)
        rows.append(
            {
                "neuron": neuron,
                "state": neuron_states(values, K)[0].value,
                "mean": examples.mean_activation,
                "max": float(np.nanmax(values)),
                "share_firing": float((values > 0).mean()),
                "activating": examples.activating,
                "activation": examples.activation,
                "contrastive": examples.contrastive,
                "contrastive_activation": examples.contrastive_activation,
                "similarity": examples.similarity,
            }
        )
    return pd.DataFrame(rows)


def label_rows(run: Run, layer: str) -> pd.DataFrame:
    """The three best labels of every neuron by every labeler."""
    rows = []
    scorer = scorer_of(run, text_embeddings())
    for neuron in range(run.layer(layer).neurons):
        values = run.activations(layer, neuron)
        examples = select_examples(values, run.embeddings, K)
        evidence = scorer.evidence(layer, values, examples)
        for labeler, score in LABELERS.items():
            best = best_labels(score(evidence, scorer.text_embeddings, 1.0), 3)
            for rank, (index, value) in enumerate(zip(*best, strict=True), start=1):
                rows.append((neuron, labeler, rank, TERMS[index][0], value))
    return pd.DataFrame(rows, columns=["neuron", "labeler", "rank", "label", "score"])


def build_run(out: Path, name: str = "tiny") -> Path:
    """Make, or go on making, the tiny run: 40 images, two layers of six neurons, twelve terms."""
    with RunWriter.open_or_resume(out, PLAN) as writer:
        for each in batches(writer.next_row):
            writer.add_batch(each)
        draft = writer.assemble(manifest(name))
        writer.write_vocabulary(
            pd.DataFrame(TERMS, columns=["text", "attributes", "broad"]), text_embeddings()
        )
        writer.add_neighbours(nearest_neighbours(draft.embeddings, 10))
        for layer in LAYERS:
            writer.write_neurons(layer, neuron_rows(draft, layer))
            writer.write_labels(layer, label_rows(draft, layer))
        return writer.finish()


def add_pushes(run: Run, layer: str = "late") -> None:
    """Add how much neurons push, as if the model had told it."""
    activations = run.layer_activations(layer)
    slopes = np.random.default_rng(5).normal(size=(activations.shape[1], len(run.manifest.classes)))
    pushes = attribution(deviations(activations), slopes - slopes.mean(axis=1, keepdims=True))
    rows = pd.DataFrame({"neuron": np.arange(len(pushes)), "push": list(pushes.astype(np.float32))})
    made = {
        "layer": layer,
        "how": "exact",
        "images": 0,
        "measured": datetime(2026, 1, 1, tzinfo=UTC),
        "csp_version": "0",
    }
    Additions(run).append(CLASS_ATTRIBUTION, rows.assign(**made))
