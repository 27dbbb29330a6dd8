"""One generator of odd runs: small runs of everything that a real one may hold, made by the real import.

`odd_runs()` draws one, `build(odd, folder, out)` makes it. `tests/test_odd_runs.py` feeds them to all pages,
commands and exports; `--odd-runs N` draws more of them.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from tests.build import draw

DIMENSION = 6
NEURONS = ("firing", "dead", "constant", "nan", "some-nan", "infinite", "negative", "one-image")
HOSTILE = (
    "<script>alert(1)</script>",
    "**bold** | `code` $x$",
    "=1+1",
    "-ruler",
    "毛发 ≥ 3",
    "a/b, c; d",
    "x" * 300,
    "nan",
)
MANY_CLASSES = tuple(f"class {place}" for place in range(1000))


@dataclass(frozen=True)
class OddRun:
    """What a run holds."""

    images: int = 5
    neurons: tuple[str, ...] = ("firing",)
    """Of `NEURONS`."""
    pictures: bool = True
    vocabulary: tuple[str, ...] = ("ruler", "hair", "ink")
    """Empty: none."""
    classes: tuple[str, ...] = ("nevus", "melanoma")
    """Empty: none."""
    labels: tuple[str, ...] = ("nevus", "")
    """Of the images, in turn; empty: none."""
    attributes: tuple[str, ...] = ("ruler",)
    """Columns of 0, 1 and gaps."""
    layer: str = "layer4"
    picture_name: str = "image"


def odd_runs() -> st.SearchStrategy[OddRun]:
    """Any of them."""
    names = st.sampled_from(("ruler", "hair", "ink", "nevus", *HOSTILE))
    some_classes = st.lists(names, min_size=1, max_size=4).map(tuple)
    columns = st.sampled_from(
        ("ruler", "width", "prediction", "image", "neuron", "layer", "=1+1", "毛发", "label ")
    )
    return st.builds(
        OddRun,
        images=st.integers(1, 9),
        neurons=st.lists(st.sampled_from(NEURONS), min_size=1, max_size=6).map(tuple),
        pictures=st.booleans(),
        vocabulary=st.lists(names, max_size=5, unique=True).map(tuple),
        classes=st.one_of(st.just(()), some_classes, st.just(MANY_CLASSES), st.just(("crane", "crane"))),
        labels=st.lists(st.one_of(names, st.just("")), max_size=3).map(tuple),
        attributes=st.lists(columns, max_size=3, unique_by=str.strip).map(tuple),
        layer=st.sampled_from(("layer4", "a.b.c", "<b>", "=1+1", "x" * 120)),
        picture_name=st.sampled_from(("image", "-a b", "毛", "<b>", "a" * 120)),
    )


SAMPLE = (
    OddRun(neurons=NEURONS),
    OddRun(images=1),
    OddRun(images=2, neurons=("dead",), classes=()),
    OddRun(pictures=False, vocabulary=(), attributes=(), labels=(), neurons=("firing", "negative")),
    OddRun(vocabulary=("ruler",), classes=("crane", "crane"), neurons=("firing", "firing", "dead")),
    OddRun(classes=MANY_CLASSES, neurons=("firing", "constant"), labels=("class 7",)),
    OddRun(vocabulary=HOSTILE, classes=HOSTILE[:4], labels=HOSTILE[:3], layer="<b>", picture_name="-a b"),
    OddRun(neurons=("nan",), classes=("only",), attributes=("width", "neuron", "prediction")),
)
"""One of each kind, for every run of the tests."""


def build(odd: OddRun, folder: Path, out: Path) -> Path:
    """Make the run in `out` from files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0)
    arrays = {
        "activations": np.stack([_activations(kind, odd.images, noise) for kind in odd.neurons], axis=1),
        "embeddings": noise.normal(size=(odd.images, DIMENSION)),
        "texts": noise.normal(size=(max(1, len(odd.vocabulary)), DIMENSION)),
        "probabilities": noise.dirichlet(np.ones(max(1, len(odd.classes))), size=odd.images),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32))
    (folder / "terms.csv").write_text(_column("text", odd.vocabulary), encoding="utf-8")
    (folder / "classes.csv").write_text(_column("text", odd.classes), encoding="utf-8")
    return import_arrays(
        ImportSpec(
            activations=folder / "activations.npy",
            embeddings=folder / "embeddings.npy",
            out=str(out),
            images=_images(odd, folder) if odd.pictures else None,
            vocabulary=folder / "terms.csv" if odd.vocabulary else None,
            text_embeddings=folder / "texts.npy" if odd.vocabulary else None,
            probabilities=folder / "probabilities.npy" if odd.classes else None,
            classes=folder / "classes.csv" if odd.classes else None,
            layer=odd.layer,
        )
    )


def _activations(kind: str, images: int, noise: np.random.Generator) -> np.ndarray:
    values = noise.random(images)
    if kind in ("dead", "constant", "nan"):
        values[:] = {"dead": 0.0, "constant": 0.5, "nan": np.nan}[kind]
    elif kind == "negative":
        values -= 2
    elif kind == "one-image":
        values[1:] = 0
    elif kind in ("some-nan", "infinite"):
        values[0] = np.nan if kind == "some-nan" else np.inf
    return values


def _column(head: str, cells: tuple[str, ...]) -> str:
    quoted = (cell.replace('"', '""') for cell in (head, *cells))
    return "".join(f'"{cell}"\n' for cell in quoted)


def _images(odd: OddRun, folder: Path) -> str:
    rows = []
    for image in range(odd.images):
        name = f"{odd.picture_name}{image}.png"
        draw(image).save(folder / name)
        label = odd.labels[image % len(odd.labels)] if odd.labels else ""
        rows.append(
            [name, label, *(("1", "0", "")[(image + place) % 3] for place in range(len(odd.attributes)))]
        )
    with (folder / "images.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "label", *odd.attributes], *rows])
    return str(folder / "images.csv")
