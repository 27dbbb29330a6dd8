"""Neurons of any layer can be held as the model runs, and the model so mended is a model like others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.face.cli.app import run as command
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.control.control import constant
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.models.probe_images import ModelInputs
from csp.work.reliance.by_model import answers_by_model, measure_by_model
from csp.work.reliance.mending.made import Mended, Why
from csp.work.reliance.mending.mend import write_mended
from csp.world.protocols.target import open_target
from tests.work.reliance.test_mend import concept
from tests.work.tiny_world import index_spec

HELD = (0, 5, 63)


@pytest.fixture(scope="module")
def indexed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny world with a layer that no linear layer reads; not to be changed."""
    return Run.open(index(index_spec(world, tmp_path_factory.mktemp("early") / "run", layers=["layer1"])))


@pytest.fixture
def made(own_home: Path, indexed: Run, tmp_path: Path) -> Mended:
    explorer = Explorer(indexed, ResultCache(result_cache_folder()))
    measure_by_model(indexed, [concept("ruler", "layer1", *HELD)])
    return write_mended(
        explorer, concept("ruler", "layer1", *HELD), tmp_path / "m.json", Why("Ann", "no lesion")
    )


def test_it_says_what_was_measured_without_the_concept(indexed: Run, made: Mended) -> None:
    answers = answers_by_model(indexed, concept("ruler", "layer1", *HELD))
    assert answers is not None
    model = open_target(made.spec)
    found = model.run(ModelInputs(indexed, model).batch(answers.images.tolist()), ["layer1"])
    np.testing.assert_allclose(found.probabilities, answers.mean, atol=1e-5)
    assert np.abs(found.probabilities - answers.before).max() > 1e-4, "it is another model"
    usual = indexed.layer_activations("layer1").mean(axis=0, dtype=np.float64)
    held = found.activations["layer1"][:, HELD]
    np.testing.assert_allclose(held, np.broadcast_to(usual[list(HELD)], held.shape), rtol=1e-4)
    told = json.loads(made.path.read_text())
    assert (told["record"]["by"], told["record"]["reason"]) == ("Ann", "no lesion")
    assert told["record"]["reliance"]["neurons"] == len(HELD)
    assert model.weights_hash != told["hash"] == indexed.manifest.target.hash


def test_indexed_again_its_neurons_are_gone(
    indexed: Run,
    made: Mended,
    world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = index_spec(world, tmp_path / "again", layers=["layer1"], model=made.spec)
    again = Run.open(index(fields))
    assert any("are held at their mean" in note for note in again.manifest.notes)
    assert np.ptp(again.layer_activations("layer1")[:, HELD], axis=0).max() < 1e-4
    assert np.ptp(indexed.layer_activations("layer1")[:, HELD], axis=0).min() > 1e-3
    # of a model that learnt nothing no label is claimed: without this none of its neurons is in a concept
    monkeypatch.setattr("csp.work.reliance.concepts.unclaimed", constant)
    assert command(["reliance", str(indexed.path), "--against", str(again.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    gone = {tuple(spot) for one in found["concepts"] for spot in one["gone"]}
    new = {tuple(spot) for one in found["concepts"] for spot in one["new"]}
    assert gone >= {("layer1", neuron) for neuron in HELD}
    assert not new & {("layer1", neuron) for neuron in HELD}, "what tells no images apart means nothing"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"model": "python:this:x"}, BadInputError, "which no file may name"),
        ({"model": "mended:x.json"}, BadInputError, "which no file may name"),
        ({"hash": "other"}, UnavailableError, "other weights now"),
        ({"held": {}}, BadInputError, "held"),
        ({"held": {"layer1": {"neurons": [1, 2], "values": [0.0]}}}, BadInputError, "as many values"),
        ({"held": {"layer9": {"neurons": [1], "values": [0.0]}}}, NotFoundError, "layer9"),
        ({"held": {"layer1": {"neurons": [-1], "values": [0.0]}}}, BadInputError, "held.layer1.neurons"),
        ({"held": {"layer1": {"neurons": [1], "values": [float("nan")]}}}, BadInputError, "a number that is"),
        ({"colour": "red"}, BadInputError, "colour"),
    ],
)
def test_a_file_that_can_not_be_is_a_sentence(made: Mended, change: Any, error: Any, said: str) -> None:
    made.path.write_text(json.dumps(json.loads(made.path.read_text()) | change))
    with pytest.raises(error, match=said):
        open_target(made.spec)


def test_a_neuron_that_is_not_there_is_a_sentence(indexed: Run, made: Mended) -> None:
    told = json.loads(made.path.read_text()) | {"held": {"layer1": {"neurons": [9999], "values": [0.0]}}}
    made.path.write_text(json.dumps(told))
    model = open_target(made.spec)
    with pytest.raises(BadInputError, match="no neuron 9999"):
        model.run(ModelInputs(indexed, model).batch([0]), [])
