"""Reliance where the model has to run: a tiny real classifier, indexed in two earlier layers."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import run_target
from csp.work.progress import Progress
from csp.work.reliance import by_model
from csp.work.reliance import concepts as found
from csp.work.reliance.by_model import GROUPS, WITHOUT_CONCEPT, answers_by_model, measure_by_model
from csp.work.reliance.concepts import Concept, concepts
from csp.work.reliance.reliance import measure_untested, reliance
from csp.world.protocols.target import HoldingTarget
from tests.work.engines.sent import Sent

IMAGES = 6


class StoppedError(Exception):
    """Raised where a person would stop the job."""


@pytest.fixture
def explorer(indexed: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    monkeypatch.setattr(by_model, "MOST_IMAGES", IMAGES)
    monkeypatch.setattr(by_model, "AT_ONCE", 3)
    monkeypatch.setattr(found, "unclaimed", lambda *_: frozenset())  # its encoder has learnt nothing
    return Explorer(indexed, ResultCache(result_cache_folder()))


def smallest(explorer: Explorer) -> Concept:
    return concepts(explorer, {})[-1]


def test_a_stopped_measurement_goes_on_and_then_needs_no_model(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    concept = smallest(explorer)

    def stop(progress: Progress) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        measure_by_model(explorer.run, [concept], stop)
    assert answers_by_model(explorer.run, concept) is None
    assert [one.concept for one in reliance(explorer, {}, [concept.name]).untested] == [concept]
    begun = len(Additions(explorer.run).read(WITHOUT_CONCEPT))
    assert begun == 3 * (GROUPS + 2)
    measure_untested(explorer, {}, [concept.name])
    assert len(Additions(explorer.run).read(WITHOUT_CONCEPT)) == 2 * begun
    monkeypatch.setattr(by_model, "run_target", None)
    one = reliance(explorer, {}, [concept.name], by="label").concepts[0]
    assert (one.numbers.how, one.numbers.images) == ("model", IMAGES)
    assert one.numbers.neurons == len(concept.neurons)
    assert one.subgroups is not None


def test_on_another_engine_the_model_says_the_same(explorer: Explorer, tmp_path: Path) -> None:
    concept = smallest(explorer)
    not_measured = shutil.ignore_patterns("additions")
    elsewhere = Run.open(shutil.copytree(explorer.run.path, tmp_path / "run", ignore=not_measured))
    measure_by_model(explorer.run, [concept])
    measure_by_model(elsewhere, [concept], engine=Sent())
    here, there = answers_by_model(explorer.run, concept), answers_by_model(elsewhere, concept)
    assert here is not None and there is not None
    np.testing.assert_array_equal(here.resampled, there.resampled)
    np.testing.assert_array_equal(here.random, there.random)


def test_neurons_of_an_earlier_and_a_later_layer_are_switched_off_together(explorer: Explorer) -> None:
    first, last = explorer.run.layers[0], explorer.run.layers[-1]
    both = replace(smallest(explorer), neurons=((first, 0), (first, 2), (last, 1)))
    measure_by_model(explorer.run, [both])
    found = answers_by_model(explorer.run, both)
    assert found is not None
    target = run_target(explorer.run)
    assert isinstance(target.model, HoldingTarget)
    usual = {name: explorer.run.layer_activations(name).mean(axis=0) for name in (first, last)}
    images = found.images[:2]
    held = {
        name: (neurons, np.repeat(usual[name][neurons][None], len(images), axis=0).astype(np.float32))
        for name, neurons in ((first, [0, 2]), (last, [1]))
    }
    said = target.model.held(ModelInputs(explorer.run, target.model).batch(images.tolist()), held)
    np.testing.assert_allclose(found.mean[:2], said, atol=1e-5)
    alone = answers_by_model(explorer.run, replace(both, neurons=((last, 1),)))
    assert alone is None


def test_held_at_what_they_are_neurons_change_nothing_and_held_elsewhere_they_do(explorer: Explorer) -> None:
    run, target = explorer.run, run_target(explorer.run)
    assert isinstance(target.model, HoldingTarget)
    batch = ModelInputs(run, target.model).batch([0, 1])
    plain = target.model.run(batch, list(run.layers))
    np.testing.assert_allclose(target.model.held(batch, {}), plain.probabilities, atol=1e-6)
    last = run.layers[-1]
    far = plain.activations[last][:, [0, 1]] + 50
    moved = target.model.held(batch, {last: ([0, 1], far.astype(np.float32))})
    assert np.abs(moved - plain.probabilities).max() > 1e-4
    np.testing.assert_allclose(moved.sum(axis=1), 1, atol=1e-5)
