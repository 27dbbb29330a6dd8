"""CoSy and the causal check on the demo: what they measure, and that a neuron's own truth scores high."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import Additions
from csp.method.labelers.registry import FIRST
from csp.method.metrics.ablation import change
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.metrics import ablation
from csp.work.metrics.ablation import CausalCheck
from csp.work.metrics.cosy import CosyScores
from csp.work.metrics.evaluate import evaluate, summary
from csp.work.metrics.ground_truth import attribute_table
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.registry import class_numbers
from csp.work.metrics.results import FAITHFULNESS, causal_by_class, faithfulness, read
from csp.work.metrics.settings import Settings
from csp.work.models.probe_images import ProbeImages
from csp.work.models.reopen import run_target
from csp.work.splits import held_out
from csp.world.protocols.generator import open_generator


@pytest.fixture
def explorer(own_home: Path) -> Explorer:
    return open_explorer("demo")


def request(explorer: Explorer, metric: str, **given: object) -> MetricRequest:
    return MetricRequest(metric, ("csp",), explorer.options(), {"layer4": [0, 1]}, **given)  # type: ignore[arg-type]


def numbers(found: list[Measured]) -> dict[str, float]:
    return {one.number: one.value for one in found}


def test_pictures_of_the_true_attribute_activate_the_neuron_and_others_do_not(explorer: Explorer) -> None:
    images, _ = held_out(explorer.run)
    followed = attribute_table(explorer.run, "layer4", images)
    sticker = int(np.nanargmax(followed[:, explorer.run.attributes.index("sticker")]))
    asked = request(explorer, "cosy", generator="dermoscopy:drawn", generated=12)
    scores = CosyScores(explorer, asked, open_generator("dermoscopy:drawn"), run_target(explorer.run))
    true = numbers(list(scores.measure([Subject("layer4", sticker, "csp", "coloured sticker")])))
    other = numbers(list(scores.measure([Subject("layer4", sticker, "csp", "dark brown colour")])))
    assert true["cosy_auc"] > 0.9
    assert true["cosy_auc"] > other["cosy_auc"] + 0.2
    assert true["cosy_mad"] > 1 > other["cosy_mad"]
    assert other["dma"] < true["dma"] <= true["cosy_max"] < 2
    assert not list(scores.measure([Subject("layer4", sticker, "csp", "bicycle")]))


def test_without_a_generator_it_says_what_to_give(explorer: Explorer) -> None:
    with pytest.raises(BadInputError, match="--generator"):
        evaluate(explorer, request(explorer, "cosy"))


def test_held_at_its_mean_a_neuron_of_the_last_layer_changes_what_the_model_itself_says(
    explorer: Explorer,
) -> None:
    check = CausalCheck(explorer, request(explorer, "causal"))
    images, neurons = np.arange(0, 1600, 200), [3, 400]
    fast, slow = check._by_head("layer4"), check._by_model("layer4")
    assert fast is not None
    by_head = fast(neurons, images) - explorer.run.probabilities[images]  # type: ignore[index]
    by_model = slow(neurons, images) - _said(explorer, images)
    np.testing.assert_allclose(by_head, by_model, atol=0.05)
    assert np.corrcoef(by_head.ravel(), by_model.ravel())[0, 1] > 0.95


def _said(explorer: Explorer, images: np.ndarray) -> np.ndarray:
    """What the model says of the pictures at hand: image files, or what the run has stored of them."""
    target, pictures = run_target(explorer.run), ProbeImages(explorer.run)
    batch = np.stack([target.model.preprocess(pictures.picture(int(image)).image) for image in images])
    return target.model.run(batch, ["layer4"]).probabilities


def test_it_measures_each_class(explorer: Explorer) -> None:
    found = evaluate(explorer, request(explorer, "causal")).rows
    run = explorer.run
    assert run.probabilities is not None
    assert set(found["neuron"]) == {0, 1}
    names = run.manifest.classes
    assert set(found["metric"]) == {
        *class_numbers(),
        *(f"{number}/{name}" for number in class_numbers() for name in names),
    }
    summed = summary(evaluate(explorer, request(explorer, "causal")))["numbers"]["causal_accuracy"]
    first = found[(found["metric"] == f"causal_accuracy/{names[0]}")]["value"]
    assert list(summed["classes"]) == list(names)
    assert summed["classes"][names[0]]["mean"] == pytest.approx(first.mean(), abs=1e-4)
    by_class = causal_by_class(explorer, "layer4")
    assert by_class.loc[(0, names[0]), "causal_accuracy"] == pytest.approx(first.iloc[0])
    kept = read(Additions(explorer.run))
    assert {f"causal_accuracy/{name}" for name in run.manifest.classes} <= set(kept["metric"])
    kept = kept[kept["metric"].str.startswith("causal_")]
    assert kept["value"].abs().max() <= 1
    by_class = kept[(kept["neuron"] == 0) & kept["metric"].str.startswith("causal_probability/")]["value"]
    assert by_class.sum() == pytest.approx(0, abs=1e-5)


def test_the_model_is_asked_where_no_linear_head_follows(explorer: Explorer) -> None:
    check = CausalCheck(explorer, request(explorer, "causal"))
    assert check._by_head("layer3") is None
    images = np.array([0, 1, 2])
    after = check._by_model("layer3")([5], images)[0]
    found = change(check._before[images], after, np.array([-1, -1, -1]))
    assert np.abs(found.probability).max() > 0
    assert math.isnan(found.accuracy)


def test_examples_that_are_held_out_are_measured_once(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a few held-out images, among them half of the examples; pictures are made ready once."""
    options, neurons = explorer.options(k=4), [5, 9]
    check = CausalCheck(explorer, MetricRequest("causal", ("csp",), options, {"layer3": neurons}))
    examples = explorer.examples("layer3", 5, options)[0].activating
    held = np.zeros(1600, dtype=bool)
    held[[*examples[:2], 0, 1]] = True
    monkeypatch.setattr(check, "_held_out", held)
    monkeypatch.setattr(ablation, "MOST_BYTES", 2**19)  # two images of two neurons a pass
    found = numbers(list(check.measure([Subject("layer3", neuron) for neuron in neurons])))
    alone = CausalCheck(explorer, MetricRequest("causal", ("csp",), options, {"layer3": neurons}))
    theirs = explorer.examples("layer3", 9, options)[0].activating.astype(np.int64)
    after = alone._by_model("layer3")([9], theirs)[0]
    truth = change(alone._before[theirs], after, alone._truth[theirs]).probability
    for place, name in enumerate(explorer.run.manifest.classes):
        assert found[f"causal_examples/{name}"] == pytest.approx(truth[place], abs=1e-6)
    inputs = check._target[1]
    assert inputs._ready.get(0, lambda: pytest.fail("made ready again")).shape == (3, 128, 128)


def test_numbers_of_generated_images_stand_with_the_others_the_newest_generator_first(
    explorer: Explorer,
) -> None:
    label = explorer.stored_labels.first_labels("layer4")[0]
    options, now = explorer.options(), datetime.now(UTC).replace(microsecond=0)
    rows = [
        {
            "metric": "cosy_auc",
            "settings": Settings(options, made_with={"generator": name, "pictures": 2}).column,
            "value": value,
            "when": when,
        }
        for name, value, when in (("old", 0.25, now), ("new", 0.75, now + timedelta(hours=1)))
    ]
    same = {
        "layer": "layer4",
        "neuron": 0,
        "labeler": FIRST,
        "label": label,
        "low": 0.0,
        "high": 1.0,
        "by": "",
    }
    Additions(explorer.run).append(FAITHFULNESS, pd.DataFrame([same | row for row in rows]))
    assert faithfulness(explorer, "layer4")["cosy_auc"].iloc[0] == 0.75
