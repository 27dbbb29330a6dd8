"""Runs made before a labeler existed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import write_manifest
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import LABELS, location, to_arrow
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.explorer.complete_labels import label_all
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.labels.stored import LATER, StoredLabels
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest

OLD = ("csp", "semanticlens", "clip-dissect")
OLD_NAMES = {"clip-dissect-mean": "clip-dissect"}
"""What is called clip-dissect-mean now was stored as clip-dissect then."""


@pytest.fixture
def old(tiny_run: Run, own_home: Path) -> Explorer:
    """The tiny run as a version with three labelers left it."""
    for index, layer in enumerate(tiny_run.layers):
        labels = tiny_run.labels(layer).astype({"labeler": object})
        labels = labels[labels["labeler"] != "clip-dissect"].replace({"labeler": OLD_NAMES})
        path = tiny_run.path / location(f"labels-{index}")
        pq.write_table(to_arrow(labels[labels["labeler"].isin(OLD)], LABELS), path)
        tiny_run.manifest.files[location(f"labels-{index}")] = record_file(path)
    write_manifest(tiny_run.path, tiny_run.manifest)
    return open_explorer("tiny")


def test_missing_labelers_are_computed_for_one_neuron_and_kept(old: Explorer) -> None:
    view = old.neuron("early", 0)
    assert list(view.labels) == list(LABELERS)
    assert all(one.by.keys() == LABELERS.keys() for one in view.scores)
    assert view.provenance.source == "computed"
    assert old.neuron("early", 0).provenance.source == "cached"
    assert old.stored_labels.score_range("early", "falcon") is None
    assert old.neurons("early").frame["label"][0] == old.run.labels("early")["label"][0]


def test_what_was_stored_as_clip_dissect_is_the_variant(old: Explorer, tiny_run: Run) -> None:
    stored = old.run.labels("late")
    before = stored[stored["labeler"] == "clip-dissect"].reset_index(drop=True)
    assert len(before)
    label_all(old, in_place=True, batch=2)
    for frame in (StoredLabels(tiny_run).frame("late"), open_explorer("tiny").stored_labels.frame("late")):
        by = {str(name): rows for name, rows in frame.groupby("labeler", observed=True)}
        now = by["clip-dissect-mean"].merge(before, on=["neuron", "label"])
        np.testing.assert_allclose(now["score_x"], now["score_y"], atol=1e-5)
        assert len(now) == len(before)
    assert {"clip-dissect", "clip-dissect-mean"} <= by.keys()


def test_until_then_no_label_of_the_variant_goes_by_the_name_of_the_original(old: Explorer) -> None:
    names = set(old.stored_labels.frame("early")["labeler"])
    assert names == {"csp", "semanticlens", "clip-dissect-mean"}


def test_csp_comes_first_until_every_neuron_has_the_new_first_label(old: Explorer) -> None:
    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_all(old, stop, batch=2)
    assert old.stored_labels.first_labeler("early") == "csp"
    label_all(old)
    assert old.stored_labels.first_labeler("early") == FIRST
    assert set(old.stored_labels.first_labels("early")) == {0, 1, 3, 5}, "those that fire"


def test_labels_of_all_join_the_run(old: Explorer) -> None:
    computed = {n: old.neuron("early", n).labels for n in (0, 1, 2)}
    stages: list[tuple[int, int]] = []
    label_all(old, lambda progress: stages.append((progress.done, progress.total)))
    assert (12, 12) in stages, "all labels; the chances come after them"
    assert old.stored_labels.score_range("early", "falcon") is not None, "an open explorer notices"
    view = open_explorer("tiny").neuron("early", 0)
    assert view.provenance.source == "precomputed"
    for neuron, labels in computed.items():
        again = old.neuron("early", neuron).labels
        assert again.keys() == labels.keys()
        for name in labels:
            assert [row.label for row in again[name]] == [row.label for row in labels[name]]
            assert [row.score for row in again[name]] == pytest.approx([row.score for row in labels[name]])


def test_a_stopped_job_goes_on_and_a_finished_one_has_nothing_to_do(old: Explorer) -> None:
    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_all(old, stop, batch=2)
    first = Additions(old.run).read(LATER)
    assert set(first["neuron"]) == {0, 1}
    label_all(old, batch=2)
    done = Additions(old.run).read(LATER)
    pd.testing.assert_frame_equal(done.iloc[: len(first)], first)
    before = Additions(old.run).version(LATER)
    label_all(old)
    assert Additions(old.run).version(LATER) == before


def test_only_the_neurons_that_are_asked_for_are_labelled(old: Explorer) -> None:
    for layer in old.run.layers:
        each = [n for n in range(6) if old.stored_labels.of(layer, n) is None]
        assert old.stored_labels.incomplete(layer) == each
    request = MetricRequest("stability", ("csp",), old.options(), {"late": [1, 3]})
    assert set(evaluate(old, request).rows["neuron"]) == {1, 3}
    later = Additions(old.run).read(LATER)
    assert set(zip(later["layer"], later["neuron"], strict=True)) == {("late", 1), ("late", 3)}
    assert old.stored_labels.incomplete("late") == [0, 2, 4, 5]


def test_labels_of_all_neurons_as_arrays_are_those_of_each(tiny_run: Run) -> None:
    layer = tiny_run.layers[-1]
    stored = StoredLabels(tiny_run)
    firsts, labeler = stored.first_rows(layer), stored.first_labeler(layer)
    everyone = np.arange(tiny_run.layer(layer).neurons)
    codes, scores = firsts.wide(everyone)
    for neuron in everyone.tolist():
        rows = (stored.of(layer, neuron) or {}).get(labeler, ())
        assert firsts.get(neuron, ()) == rows
        assert [firsts.texts[code] for code in codes[neuron] if code >= 0] == [row.label for row in rows]
        assert scores[neuron][codes[neuron] >= 0].tolist() == [row.score for row in rows]
        assert stored.first_labels(layer).get(neuron) == (rows[0].label if rows else None)
    assert not set(firsts) - set(everyone.tolist())
    assert (firsts.wide(np.array([10**6]), places=2)[0] == -1).all()
