"""Comparisons: changed labels first, nothing called changed that is not; the curve over gamma."""

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.views import NeuronTable
from csp.work.neurons.compare import (
    CURVES,
    GAMMAS,
    alikeness,
    compare_gammas,
    compare_labelers,
    compare_runs,
    gamma_curve,
)
from csp.work.neurons.concept_vectors import gamma_path


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    return Explorer(tiny_run, ResultCache(result_cache_folder()))


def test_labelers_differ_where_their_first_stored_labels_do(explorer: Explorer) -> None:
    found = compare_labelers(explorer, "late", "csp", "clip-dissect")
    stored = explorer.run.labels("late")
    firsts = stored[stored["rank"] == 1].set_index(["labeler", "neuron"])["label"]
    for row in found.frame.itertuples():
        a, b = firsts.get(("csp", row.neuron)), firsts.get(("clip-dissect", row.neuron))
        assert (row.label_a, row.label_b, row.changed) == (a, b, a != b)
    flags = found.frame["changed"].tolist()
    assert flags == sorted(flags, reverse=True)
    assert found.changed == sum(flags)
    assert compare_labelers(explorer, "late", "csp", "csp").changed == 0


def test_synonyms_come_after_labels_that_mean_something_else() -> None:
    explorer = open_explorer("demo")
    frame = compare_labelers(explorer, "layer4", "csp", "semanticlens").frame
    same = [
        isinstance(a, str) and isinstance(b, str) and explorer.synonyms.same(a, b)
        for a, b in zip(frame["label_a"], frame["label_b"], strict=True)
    ]
    assert frame["reworded"].tolist() == (frame["changed"] & np.array(same)).tolist()
    assert 0 < frame["reworded"].sum() < frame["changed"].sum()
    order = (2 * frame["changed"].astype(int) - frame["reworded"].astype(int)).tolist()
    assert order == sorted(order, reverse=True)


def test_gammas_give_the_labels_that_the_explorer_gives(explorer: Explorer) -> None:
    path = gamma_path(explorer.run, "late")
    found = compare_gammas(explorer, "late", path, (0.0, 0.7)).frame.set_index("neuron")
    for neuron in (0, 1, 3, 5):
        for side, gamma in (("a", 0.0), ("b", 0.7)):
            best = explorer.neuron("late", neuron, explorer.options(gamma=gamma)).labels["csp"][0]
            assert found.loc[neuron, f"label_{side}"] == best.label
            assert found.loc[neuron, f"score_{side}"] == pytest.approx(best.score, abs=1e-5)
    assert found.loc[2, "label_a"] is None, "neuron 2 never fires"
    assert not found.loc[2, "changed"]


def test_a_curve_follows_the_first_label_at_each_gamma(explorer: Explorer) -> None:
    curve = gamma_curve(explorer, "late", 0)
    assert curve.scores.shape == (len(curve.labels), len(GAMMAS))
    for place, gamma in enumerate(GAMMAS):
        if place % 5 == 0:
            best = explorer.neuron("late", 0, explorer.options(gamma=gamma)).labels["csp"][0]
            assert curve.first[place] == best.label
            row = curve.labels.index(best.label)
            assert curve.scores[row, place] == pytest.approx(best.score, abs=1e-5)
            assert curve.scores[:, place].max() == curve.scores[row, place]
    assert gamma_curve(explorer, "late", 2).labels == ()


def test_a_curve_follows_other_things_rather_than_synonyms() -> None:
    explorer = open_explorer("demo")
    curve = gamma_curve(explorer, "layer4", 17)
    came_first = len(set(curve.first))
    assert CURVES == len(curve.labels) > came_first
    for place in range(came_first, CURVES):
        assert not any(explorer.synonyms.same(curve.labels[place], one) for one in curve.labels[:place])


def test_two_runs_of_one_model(explorer: Explorer) -> None:
    copy = shutil.copytree(explorer.run.path, explorer.run.path.with_name("again"))
    again = Explorer(Run.open(copy), explorer.cache.results)
    assert compare_runs(explorer, again, "late").changed == 0
    with pytest.raises(BadInputError, match="no layer"):
        compare_runs(explorer, again, "middle")


def other_weights(explorer: Explorer, order: list[int], **parts: Any) -> Explorer:
    """The same run with its neurons in another order, as another network that learnt the same."""
    manifest = explorer.run.manifest
    target = manifest.target.model_copy(update={"hash": "0" * 64})
    run = Run(explorer.run.path, manifest.model_copy(update={"target": target, **parts}))

    class Shuffled(Explorer):
        def neurons(self, layer: str) -> NeuronTable:
            table = super().neurons(layer)
            frame = table.frame.iloc[order].reset_index(drop=True)
            return replace(table, frame=frame.assign(neuron=range(len(order))))

    activations = run.layer_activations("late")[:, order]
    object.__setattr__(run, "of_images", lambda layer, images: activations[images])
    return Shuffled(run, explorer.cache.results)


def test_runs_of_other_weights_are_matched_by_how_they_fire(explorer: Explorer) -> None:
    order = [4, 0, 5, 1, 3, 2]
    found = compare_runs(explorer, other_weights(explorer, order), "late")
    assert found.images == explorer.run.manifest.images
    varying = (np.nan_to_num(explorer.run.layer_activations("late")).std(axis=0) > 0).sum()
    assert (found.changed, found.compared) == (0, varying), "a neuron that never varies has no counterpart"
    firing = found.frame[found.frame["neuron_b"] >= 0]
    assert [order[other] for other in firing["neuron_b"]] == firing["neuron"].tolist()
    assert firing["alike"].tolist() == pytest.approx([1.0] * int(varying))


def test_runs_of_other_weights_without_shared_images_are_not_compared(explorer: Explorer) -> None:
    images = explorer.run.manifest.dataset.model_copy(update={"hash": "1" * 64})
    other = other_weights(explorer, list(range(6)), dataset=images)
    monkey = other.run.images.assign(path="elsewhere/" + other.run.images["path"].astype(str))
    object.__setattr__(other.run, "_kept", {"images": monkey})
    with pytest.raises(BadInputError, match=r"not of the same weights.*the same images"):
        compare_runs(explorer, other, "late")


def test_alikeness_is_a_cosine(explorer: Explorer) -> None:
    vectors = gamma_path(explorer.run, "late").at(1.0)
    assert alikeness(explorer, "late", 0, 1) == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)
    assert alikeness(explorer, "late", 0, 0) == pytest.approx(1.0, abs=1e-6)
    assert alikeness(explorer, "late", 0, 2) == 0


def test_what_cannot_be_compared_is_refused(explorer: Explorer) -> None:
    with pytest.raises(BadInputError, match="no labeler"):
        compare_labelers(explorer, "late", "csp", "csq")
    with pytest.raises(BadInputError, match="gamma"):
        compare_gammas(explorer, "late", gamma_path(explorer.run, "late"), (0.0, 1.5))
    assert np.isfinite(gamma_curve(explorer, "late", 1).scores).all()
