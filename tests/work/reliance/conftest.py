"""A run whose classifier leans on stickers by construction: its head reads two neurons that see them."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.method.reliance import Link, outputs_of
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from tests.build import draw

IMAGES, NEURONS, DIMENSION = 120, 12, 8
CLASSES = ("nevus", "melanoma")
TERMS = (
    ("sticker", "sticker"),
    ("a coloured patch", "sticker"),
    ("hairs", "hairs"),
    ("wart", ""),
    ("mole", ""),
)
MakeRun = Callable[..., Explorer]


def weights() -> np.ndarray:
    """Neurons 0 and 1 (sticker) speak for nevus, 2 (hairs) for nothing, 6 to 11 a little for either."""
    found = np.zeros((NEURONS, 2))
    found[[0, 1], 0] = 1.5
    found[6:, 0] = np.linspace(-0.1, 0.1, NEURONS - 6)
    return found - found.mean(axis=1, keepdims=True)


def said(values: np.ndarray, link: Link) -> np.ndarray:
    """What the model says of these activations."""
    return outputs_of(values @ weights() + (0.2, 0.7), link)


def activations() -> np.ndarray:
    """Sticker every third image, hairs every fourth."""
    rows, noise = np.arange(IMAGES), np.random.default_rng(0).random((IMAGES, NEURONS))
    noise[:, [0, 1]] = 0.2 * noise[:, [0, 1]] + (rows % 3 == 0)[:, None]
    noise[:, 2] = 0.2 * noise[:, 2] + (rows % 4 == 0)
    return noise.astype(np.float32)


def _embeddings() -> np.ndarray:
    rows, found = np.arange(IMAGES), np.random.default_rng(1).normal(size=(IMAGES, DIMENSION)) * 0.2
    found[:, 0] += rows % 3 == 0
    found[:, 1] += rows % 4 == 0
    return found


def _texts() -> np.ndarray:
    found = np.random.default_rng(2).normal(size=(len(TERMS), DIMENSION)) * 0.1
    for row, axis in enumerate((0, 0, 1, 5, 6)):
        found[row, axis] += 1
    return found


def _rows(columns: dict[str, Any]) -> list[list[str]]:
    truth = [CLASSES[0] if row % 3 == 0 or row % 2 else CLASSES[1] for row in range(IMAGES)]
    own = {"label": truth, "split": ["held-out" if row % 2 else "" for row in range(IMAGES)], **columns}
    names = [f"{row}.png" for row in range(IMAGES)]
    return [["path", *own], *([str(cell) for cell in row] for row in zip(names, *own.values(), strict=True))]


@pytest.fixture
def make_run(own_home: Path, tmp_path: Path) -> MakeRun:
    """Makes such a run; `columns` are the dataset's own, `link` says what the head's logits become.

    `values` are other activations, `outputs` what another model says, `out` the name of the run.
    """

    def make(
        link: Link = "softmax",
        columns: dict[str, Any] | None = None,
        behind: bool = True,
        values: np.ndarray | None = None,
        outputs: np.ndarray | None = None,
        out: str = "made",
    ) -> Explorer:
        for row in range(IMAGES):
            draw(row).save(tmp_path / f"{row}.png")
        given = {"sticker": [int(row % 3 == 0) for row in range(IMAGES)]} if columns is None else columns
        with (tmp_path / "images.csv").open("w", newline="") as file:
            csv.writer(file).writerows(_rows(given))
        terms = "".join(f"{text},{named},0\n" for text, named in TERMS)
        (tmp_path / "terms.csv").write_text(f"text,attributes,broad\n{terms}")
        (tmp_path / "classes.csv").write_text("\n".join(("text", *CLASSES)))
        bent = activations() if behind else 3 * np.sin(5 * activations())  # more than a linear layer follows
        arrays = {
            "activations": activations() if values is None else values,
            "embeddings": _embeddings(),
            "texts": _texts(),
            "outputs": said(bent, link) if outputs is None else outputs,
        }
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array.astype(np.float32))
        path = import_arrays(
            ImportSpec(
                activations=tmp_path / "activations.npy",
                embeddings=tmp_path / "embeddings.npy",
                out=str(tmp_path / out),
                images=str(tmp_path / "images.csv"),
                vocabulary=tmp_path / "terms.csv",
                text_embeddings=tmp_path / "texts.npy",
                probabilities=tmp_path / "outputs.npy",
                classes=tmp_path / "classes.csv",
                layer="last",
            )
        )
        return Explorer(Run.open(path), ResultCache(result_cache_folder()))

    return make
