"""Truth by intervention: the same drawn cases with and without an attribute, through the run's own model."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import true_attributes
from csp.method.metrics.statistics import auroc
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.ground_truth import attribute_table, ground_truth, truth_table
from csp.work.models.interventions import intervene, intervention_table
from csp.work.models.reopen import run_target
from csp.work.progress import Progress
from csp.world.generators.dermoscopy import DrawnDermoscopy
from csp.world.protocols import generator

CASES = 5
DRAWN = "dermoscopy:drawn"


@pytest.fixture
def run(indexed: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(indexed.path, tmp_path / "run"))


def test_a_neurons_truth_is_how_it_ranks_the_same_cases_with_and_without(run: Run) -> None:
    assert intervention_table(run, "layer1") is None
    intervene(run, DRAWN, CASES)
    found = intervention_table(run, "layer1")
    assert found is not None
    model = run_target(run).model
    for place, name in enumerate(run.attributes):
        values: dict[bool, list[np.ndarray]] = {True: [], False: []}
        for number in range(CASES):
            case = DrawnDermoscopy().switched(number, [name])
            for picture, shows in (
                (case.picture, case.shows[name]),
                (case.other[name], not case.shows[name]),
            ):
                batch = model.preprocess(picture)[None]
                values[shows].append(model.run(batch, ["layer1"]).activations["layer1"][0])
        both = np.array(values[True] + values[False])
        for neuron in (0, 7, 63):
            expected = auroc(both[:, neuron], np.arange(2 * CASES) < CASES)
            assert found[neuron, place] == pytest.approx(expected, abs=0.05), "a tie may break either way"


def test_it_is_measured_once_and_is_the_truth_from_then_on(run: Run, tmp_path: Path) -> None:
    images = np.ones(len(run.images), dtype=bool)
    before = attribute_table(run, "layer1", images)
    assert np.array_equal(truth_table(run, "layer1", images), before, equal_nan=True)
    explorer = Explorer(run, ResultCache(tmp_path / "answers"))
    assert ground_truth(explorer)["interventions"] is None
    steps: list[Progress] = []
    for _ in range(2):
        intervene(run, DRAWN, CASES, steps.append)
    assert [one.done for one in steps if one.done] == list(range(1, CASES + 1))
    done = intervention_table(run, "layer1")
    assert done is not None
    assert np.array_equal(truth_table(run, "layer1", images), done)
    result = ground_truth(explorer)
    told = result["interventions"]
    by_layer = [intervention_table(run, layer) for layer in run.layers]
    assert told["clear_by_intervention"] == result["clear"]
    assert result["clear"] == sum(
        int((true_attributes(one) >= 0).sum()) for one in by_layer if one is not None
    )
    assert told["agree"] + len(told["disagree"]) == told["clear_in_both"] <= told["clear_on_images"]
    assert all(one["on_images"] != one["by_intervention"] for one in told["disagree"])


def test_a_generator_that_can_not_switch_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(DrawnDermoscopy, "switched")
    assert not isinstance(DrawnDermoscopy(), generator.SwitchingGenerator)
    with pytest.raises(BadInputError, match="can't draw the same picture with and without"):
        intervene(run, DRAWN, CASES)
