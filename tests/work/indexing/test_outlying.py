"""A run whose layer gives way on some images: recorded, said, left out of examples and labels."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csp
from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.world import Purpose, World
from csp.errors import BadRunError
from csp.keeping.run_folder.manifest import read_manifest, sealed
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import open_explorer
from csp.work.explorer.facets import facets
from csp.work.labels.chance import label_chances
from csp.work.report.content import warnings
from tests.face.pages.test_pages import opened, said


@pytest.fixture(scope="module")
def world() -> World:
    found = next(FAMILIES["outliers"].worlds(Purpose.JUDGING, 1))
    return replace(found, activations=found.activations[:, :48], truths=found.truths[:48])


@pytest.fixture(scope="module")
def made(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("made")
    arrays = {
        "activations": world.activations,
        "embeddings": world.embeddings,
        "text_embeddings": world.text_embeddings,
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    (tmp_path / "names.txt").write_text("\n".join(f"text {row}" for row in range(len(world.text_embeddings))))
    csp.import_arrays(
        activations=tmp_path / "activations.npy",
        embeddings=tmp_path / "embeddings.npy",
        vocabulary=tmp_path / "names.txt",
        text_embeddings=tmp_path / "text_embeddings.npy",
        out=tmp_path / "struck",
    )
    return tmp_path / "struck"


@pytest.fixture
def run(made: Path, own_home: Path) -> Run:
    return Run.open(Path(shutil.copytree(made, own_home / "runs" / "struck")))


def right(run: Run, labels: pd.DataFrame, world: World) -> float:
    firsts = labels[(labels["labeler"] == "consensus") & (labels["rank"] == 1)].set_index("neuron")["label"]
    numbers = {text: row for row, text in enumerate(run.vocabulary["text"])}
    return float(np.mean([numbers[firsts[one]] in truth for one, truth in enumerate(world.truths)]))


def test_labels_leave_them_out_and_everything_says_so(run: Run, world: World) -> None:
    (layer,) = run.layers
    assert np.array_equal(run.outlying(layer), world.outlying)
    assert right(run, run.labels(layer), world) > 0.8
    chances = label_chances(run, layer)
    assert np.nanmean(chances) > 0.5
    note = run.outlying_note(layer)
    assert f"On {world.outlying.sum()} of {len(world.outlying):,} images" in note
    assert f"{note}." in run.manifest.notes
    explorer = open_explorer("struck")
    assert f"{note}." in warnings(explorer)
    for page in ("neuron", "neurons"):
        app = opened(f"pages/{page}.py", run="struck")
        assert note.split(" (")[0] in said(app)


def test_worked_out_anew_labels_and_facets_are_the_same(run: Run) -> None:
    (layer,) = run.layers
    explorer = open_explorer("struck")
    neurons = [
        neuron for neuron in range(8) if not np.isnan(label_chances(run, layer)[neuron])
    ]  # those whose label is a thing that is there
    for neuron in neurons:
        stored = explorer.neuron(layer, neuron).labels["consensus"][0]
        scores, _ = explorer.labels(layer, neuron, replace(explorer.options(), gamma=0.9))
        assert scores["consensus"][0].label == stored.label
        assert scores["consensus"][0].score == pytest.approx(stored.score, abs=1e-4)
        assert facets(explorer, layer, neuron)[0].labels[0].label == stored.label


def test_examples_leave_them_out_and_activations_stay_as_they_are(run: Run, world: World) -> None:
    (layer,) = run.layers
    assert np.array_equal(run.layer_activations(layer), world.activations)
    explorer = open_explorer("struck")
    for options in (None, replace(explorer.options(), k=7)):
        for neuron in (0, 1):
            assert world.outlying[world.activations[:, neuron].argmax()]
            examples, _ = explorer.examples(layer, neuron, options)
            shown = [*examples.activating, *examples.contrastive]
            assert not world.outlying[shown].any()
            assert run.neurons(layer)["max"][neuron] == examples.activation.max()


def test_a_manifest_that_names_an_image_there_is_not_is_refused(run: Run) -> None:
    manifest = read_manifest(run.path).model_dump(mode="json")
    manifest["layers"][0]["outlying"] = [run.manifest.images]
    (run.path / "manifest.json").write_bytes(sealed(manifest))
    with pytest.raises(BadRunError, match="leaves out an image"):
        Run.open(run.path)
