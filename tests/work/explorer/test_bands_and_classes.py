"""What the screen draws beside the pairs: images of every level, activations by class, facts of an image."""

import numpy as np
import pytest

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer import images
from csp.work.explorer.activation_bands import levels
from csp.work.explorer.class_histogram import REST, class_split
from csp.work.explorer.explorer import Explorer


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    return Explorer(tiny_run, ResultCache(result_cache_folder()))


def test_levels_go_from_strong_to_weak_and_cover_all_images(explorer: Explorer) -> None:
    found = levels(explorer, "late", 0)
    assert [(one.start, one.stop) for one in found] == [(0.0, 0.01), (0.01, 0.1), (0.1, 0.5), (0.5, 1.0)]
    fired = [activation for level in found for _, activation in level.images]
    assert fired == sorted(fired, reverse=True)
    values = explorer.run.activations("late", 0)
    for level in found:
        for facts, activation in level.images:
            assert activation == pytest.approx(float(values[facts.image]))
            stronger = float((values > activation).sum()) / len(values)
            assert level.start <= stronger < level.stop


def test_classes_add_up_to_the_histogram(explorer: Explorer) -> None:
    view = explorer.neuron("late", 0)
    split = class_split(explorer, "late", 0, view.histogram.edges)
    assert split is not None
    assert set(split.counts) == {"nevus", "melanoma"}
    assert np.sum(list(split.counts.values()), axis=0).tolist() == view.histogram.counts.tolist()
    truth = explorer.run.images["label"].to_numpy()
    for name, mean in split.means.items():
        assert mean == pytest.approx(
            float(explorer.run.activations("late", 0)[truth == name].mean()), rel=1e-5
        )


def test_broken_activations_are_not_counted(explorer: Explorer) -> None:
    view = explorer.neuron("late", 5)
    split = class_split(explorer, "late", 5, view.histogram.edges)
    assert split is not None
    assert sum(int(counts.sum()) for counts in split.counts.values()) == 39


def test_many_classes_share_one_colour(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "CLASSES", 1)
    view = explorer.neuron("late", 0)
    split = class_split(explorer, "late", 0, view.histogram.edges)
    assert split is not None
    assert list(split.counts) == ["melanoma", REST] or list(split.counts) == ["nevus", REST]
    assert np.sum(list(split.counts.values()), axis=0).tolist() == view.histogram.counts.tolist()


def test_a_prediction_comes_with_its_probability(explorer: Explorer) -> None:
    probabilities = explorer.run.probabilities
    assert probabilities is not None
    for image in range(5):
        facts = explorer.images.facts(image)
        assert facts.probability == pytest.approx(float(np.max(probabilities[image])))
