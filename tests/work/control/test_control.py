"""What noise gives, beside a run's labels."""

import shutil

import numpy as np
import pytest

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.control.control import (
    CONTROL,
    label_fits,
    layer_control,
    measure_control,
    measure_control_when_made,
    unclaimed,
)
from csp.work.control.draws import DRAWS, shuffled_neurons
from csp.work.control.summary import control_rows
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.rows import machine_rows
from csp.work.progress import Progress
from csp.work.reviews.artefacts import artefact_neurons, artefacts_by_chance


def test_neurons_that_fire_are_shuffled_within_the_split(tiny_run: Run) -> None:
    (draws,) = shuffled_neurons(tiny_run, "late", draws=8)
    assert set(draws.neurons) == {0, 1, 3, 5}, "the others never fire"
    held_out = (tiny_run.images["split"] == "test").to_numpy()
    for neuron, activations in zip(draws.neurons, draws.activations.T, strict=True):
        own = tiny_run.activations("late", neuron)
        for part in (held_out, ~held_out):
            np.testing.assert_array_equal(np.sort(activations[part]), np.sort(own[part]))
    (again,) = shuffled_neurons(tiny_run, "late", draws=8)
    np.testing.assert_array_equal(again.activations, draws.activations)


def test_a_run_gets_its_control_when_made_and_older_ones_on_demand(tiny_run: Run, explorer: Explorer) -> None:
    shutil.rmtree(tiny_run.path / "additions")
    worked_out = layer_control(explorer, "late").frame
    assert set(worked_out["labeler"]) == set(LABELERS)
    assert (worked_out["labeler"].value_counts() == DRAWS).all()
    measure_control_when_made(tiny_run)
    stored = Additions(tiny_run).read(CONTROL)
    assert set(stored["layer"]) == set(tiny_run.layers)
    late = stored[stored["layer"] == "late"].drop(columns="layer").reset_index(drop=True)
    assert late["label"].tolist() == worked_out["label"].tolist()
    np.testing.assert_array_equal(late["fit"], worked_out["fit"])
    before = Additions(tiny_run).version(CONTROL)
    measure_control(explorer)
    assert Additions(tiny_run).version(CONTROL) == before, "what is there is not measured again"


def test_a_control_that_is_stopped_goes_on_where_it_was(
    tiny_run: Run, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = layer_control(explorer, "late").frame
    shutil.rmtree(tiny_run.path / "additions")
    monkeypatch.setattr("csp.work.labels.scorer.AT_ONCE", 64)

    def stop(progress: Progress) -> None:
        if progress.done == 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_control(explorer, stop, layers=["late"])
    assert len(Additions(tiny_run).read(CONTROL)) == 128 * len(LABELERS), "two parts"
    seen: list[Progress] = []
    measure_control(explorer, seen.append, layers=["late"])
    assert [one.done for one in seen] == list(range(129, DRAWS + 1))
    again = layer_control(explorer, "late").frame.sort_values(["draw", "labeler"], ignore_index=True)
    whole = whole.sort_values(["draw", "labeler"], ignore_index=True)
    assert again["label"].tolist() == whole["label"].tolist()
    np.testing.assert_allclose(again["fit"], whole["fit"], atol=1e-6)


def test_the_control_of_a_huge_vocabulary_is_left_to_the_command(
    tiny_run: Run, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(tiny_run.path / "additions")
    monkeypatch.setattr("csp.work.control.control.MOST_TEXTS", 2)
    assert layer_control(explorer, "late").frame.empty, "no page waits for minutes"
    measure_control(explorer)
    assert set(layer_control(explorer, "late").frame["labeler"]) == set(LABELERS)


def test_labels_with_something_to_find_are_above_noise_and_others_are_not(explorer: Explorer) -> None:
    fits = label_fits(explorer, "late")
    assert fits is not None
    assert {0, 1} <= fits.above
    assert 2 in unclaimed(explorer, "late"), "it never fires, and goes with nothing"
    assert fits.reached(0) == 1 / (1 + DRAWS)
    assert fits.reached(3) > 0.5, "a constant neuron, whose label goes with nothing"


def test_what_is_not_above_noise_claims_no_artefact(explorer: Explorer) -> None:
    noise = unclaimed(explorer, "late")
    frame = machine_rows(explorer, "late").frame
    assert set(frame["neuron"][~frame["above_noise"]]) == noise
    assert not any(frame["artefacts"][list(noise)])
    found = {one.neuron for one in artefact_neurons(explorer, {}) if one.layer == "late"}
    assert found == set(frame["neuron"][frame["artefacts"].map(bool)])
    assert found and not found & noise
    chance = artefacts_by_chance(explorer, "late")
    assert chance is not None
    assert 0 <= chance.expected < len(found)


def test_the_table_of_a_run(explorer: Explorer) -> None:
    rows = control_rows(explorer, ["late"])
    assert [row["labeler"] for row in rows] == list(LABELERS)
    first = next(row for row in rows if row["labeler"] == FIRST)
    assert first["neurons"] == 5  # of what the constant neuron is called, correlation stored no score
    assert first["by_chance"] == pytest.approx(0.05 * first["neurons"])
    assert 0 <= first["fit"] <= 1 and 0 <= first["fit_noise"] <= 1


def test_a_run_without_a_vocabulary_has_none(unlabelled: Run, explorer: Explorer) -> None:
    bare = Explorer(unlabelled, explorer.cache.results)
    measure_control(bare)
    layer = unlabelled.layers[0]
    assert layer_control(bare, layer).frame.empty
    assert label_fits(bare, layer) is None
    assert unclaimed(bare, layer) == frozenset()
    assert artefacts_by_chance(bare, layer) is None
    assert control_rows(bare, [layer]) == []
