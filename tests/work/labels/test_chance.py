"""The chances that a run's first labels are true, as they are kept."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.labels.chance import CHANCES, label_chances, measure_chances, text_chances
from csp.work.labels.stored import StoredLabels
from csp.work.labels.vocabulary import run_vocabulary


def add(run: Run, neuron: int, label: str, chance: float) -> None:
    row = {"layer": "early", "neuron": neuron, "label": label, "chance": chance}
    Additions(run).append(CHANCES, pd.DataFrame([row]))


def test_a_run_without_chances_says_nothing(tiny_run: Run, own_home: Path) -> None:
    found = label_chances(tiny_run, "early")
    assert found.shape == (tiny_run.layer("early").neurons,)
    assert np.isnan(found).all()


def test_a_chance_counts_as_long_as_its_label_comes_first(tiny_run: Run, own_home: Path) -> None:
    first = StoredLabels(tiny_run).first_labels("early")
    add(tiny_run, 0, first[0], 0.9)
    add(tiny_run, 1, "another label", 0.8)
    found = label_chances(tiny_run, "early")
    assert found[0] == 0.9
    assert np.isnan(found[1:]).all()


def test_chances_are_worked_out_once_and_kept(tiny_run: Run, own_home: Path) -> None:
    stages: list[str] = []
    measure_chances(tiny_run, lambda progress: stages.append(progress.stage))
    assert set(stages) == {f"chances of {layer}" for layer in tiny_run.layers}
    found = label_chances(tiny_run, "early")
    labelled = sorted(StoredLabels(tiny_run).first_labels("early"))
    assert np.isfinite(found[labelled]).all()
    assert np.isnan(np.delete(found, labelled)).all()
    stages.clear()
    measure_chances(tiny_run, lambda progress: stages.append(progress.stage))
    assert not stages, "nothing is missing"


def test_a_text_that_comes_first_has_the_chance_of_the_label(tiny_run: Run, own_home: Path) -> None:
    measure_chances(tiny_run)
    found = label_chances(tiny_run, "early")
    vocabulary = run_vocabulary(tiny_run)
    asked = text_chances(tiny_run, "early", vocabulary.embeddings)
    assert asked is not None
    for neuron, label in StoredLabels(tiny_run).first_labels("early").items():
        if np.isfinite(found[neuron]):
            assert asked[neuron, vocabulary.row(label)] == pytest.approx(found[neuron], abs=1e-6)


def test_chances_are_the_same_however_few_neurons_are_read_at_once(
    tiny_run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_chances(tiny_run)
    whole = label_chances(tiny_run, "early")
    shutil.rmtree(tiny_run.path / "additions" / "chances")
    monkeypatch.setattr("csp.keeping.run_folder.run.BLOCK_BYTES", 1)
    monkeypatch.delattr(Run, "layer_activations")
    assert len(list(tiny_run.activation_blocks("early"))) == tiny_run.layer("early").neurons
    measure_chances(tiny_run)
    np.testing.assert_allclose(label_chances(tiny_run, "early"), whole, atol=1e-6)
