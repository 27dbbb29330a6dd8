"""What a layer says with random weights, beside what it says."""

import shutil
from pathlib import Path

import pytest

from csp.errors import BadInputError, UnavailableError
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.control.control import layer_control
from csp.work.control.summary import control_rows
from csp.work.control.untrained import UNTRAINED, measure_untrained, untrained_control
from csp.work.explorer.explorer import Explorer
from csp.work.jobs.kinds.control import faults
from csp.work.jobs.kinds.control import run as work
from csp.work.reviews.artefacts import artefacts_untrained


@pytest.fixture
def asked(indexed: Run, own_home: Path) -> Explorer:
    """The tiny world's run, free to be added to."""
    run = Run.open(shutil.copytree(indexed.path, own_home / "runs" / "whole"))
    return Explorer(run, ResultCache(result_cache_folder()))


def test_the_layer_is_labelled_with_random_weights_once(asked: Explorer) -> None:
    layer, neurons = "layer1", asked.run.layer("layer1").neurons
    assert untrained_control(asked, layer) is None
    assert artefacts_untrained(asked, layer) is None
    assert control_rows(asked, [layer])[0]["score_untrained"] is None
    work({"run": "whole", "layer": layer, "random_weights": True}, lambda progress: None)
    found = untrained_control(asked, layer)
    assert found is not None
    assert set(found.frame["labeler"]) == set(LABELERS)
    assert found.frame["neuron"][found.frame["labeler"] == FIRST].is_unique
    assert 0 < len(found.frame) // len(LABELERS) <= neurons
    trained = layer_control(asked, layer).frame
    assert trained["score"].tolist() != found.frame["score"].tolist()
    row = next(row for row in control_rows(asked, [layer]) if row["labeler"] == FIRST)
    assert row["score_untrained"] == pytest.approx(
        found.frame["score"][found.frame["labeler"] == FIRST].mean()
    )
    assert 0 <= row["above_untrained"] <= neurons
    reach = artefacts_untrained(asked, layer)
    assert reach is not None
    assert 0 <= reach.expected <= row["above_untrained"] + 1
    before = Additions(asked.run).version(UNTRAINED)
    measure_untrained(asked, layers=[layer])
    assert Additions(asked.run).version(UNTRAINED) == before, "what is there is not measured again"


def test_runs_without_a_model_or_a_vocabulary_have_none(
    explorer: Explorer, unlabelled: Run, indexed: Run
) -> None:
    with pytest.raises(UnavailableError, match="can't be opened here"):
        measure_untrained(explorer)
    with pytest.raises(BadInputError, match="has no vocabulary"):
        measure_untrained(Explorer(unlabelled, explorer.cache.results))
    assert "true or false" in faults({"run": "tiny", "random_weights": "yes"})["random_weights"]
    assert faults({"run": str(indexed.path), "random_weights": True}) == {}
