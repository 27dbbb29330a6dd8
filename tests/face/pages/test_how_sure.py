"""How sure a label is and which images may be look-alikes, on the neuron page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.face.screen.wording import plain
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import open_explorer
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.metrics.results import causal_by_class
from csp.work.metrics.stability import label_stability
from csp.work.reliance.words import signed
from tests import patience

ROOT = Path(__file__).parents[3]


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
    app.switch_page("pages/neuron.py")
    app.query_params.update({"run": "tiny", "layer": "late", "neuron": "0"} | address)
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(part.value for part in (*app.markdown, *app.caption, *app.warning)).replace("\\", "")


def test_the_page_says_how_stable_the_label_is_and_what_was_not_measured(tiny_run: Run) -> None:
    explorer = open_explorer("tiny")
    found = label_stability(explorer, "late", 0, FIRST, explorer.options())
    assert found is not None
    words = said(opened())
    assert f"stays the best in {100 * found.chance:.0f} % of draws of the examples" in words
    assert ("Unstable" in words) == (not found.stable)
    assert "csp evaluate tiny" in words


def test_the_next_thing_that_fits_is_no_synonym(tiny_run: Run) -> None:
    explorer = open_explorer("demo")
    rows = explorer.neuron("layer4", 17).labels[FIRST]
    assert explorer.synonyms.same(rows[0].label, rows[1].label), "a neuron whose second label is a synonym"
    rival = explorer.synonyms.rival(explorer.stored_labels.first_rows("layer4")[17])
    assert rival is not None
    words = said(opened(run="demo", layer="layer4", neuron="17"))
    assert f"It is {rival.lead:.3f} ahead of *{rival.label}*" in words


def test_measured_numbers_stand_beside_the_label_with_what_they_are(tiny_run: Run) -> None:
    explorer = open_explorer("tiny")
    for metric in ("simcorr", "descriptive"):
        evaluate(explorer, MetricRequest(metric, tuple(LABELERS), explorer.options(), {"late": range(6)}))
    app = opened()
    assert "The label predicts the firing **" in said(app)
    assert "its pictures are alike **" in said(app)
    helps = [caption.help for caption in app.caption if "its pictures are alike **" in caption.value]
    assert helps
    assert "**Simulation correlation " in helps[0] and "mean cosine" in helps[0], "the numbers by their names"
    other = said(opened(gamma="0.5"))
    assert "predicts the firing" not in other, "it was measured for the label at the run's own gamma"


def test_what_the_model_loses_without_the_neuron_stands_with_the_numbers(tiny_run: Run) -> None:
    explorer = open_explorer("demo")
    found = causal_by_class(explorer, "layer4").loc[17]
    app = opened(run="demo", layer="layer4", neuron="17")
    helps = "".join(caption.help or "" for caption in app.caption)
    assert "**Accuracy, switched off " in helps and "arXiv 1803.06959" in helps
    assert "**Generated images: largest activation " in helps
    for name in explorer.run.manifest.classes:
        assert f"{plain(name)} {signed(found.loc[name, 'causal_probability'], 3)}, on its examples" in helps


def test_the_contrast_in_the_address_decides_the_look_alikes(tiny_run: Run) -> None:
    app = opened(contrast="quantile:0.25,neighbours:2")
    assert app.selectbox(key="contrast-cold").value == 0.25
    assert app.number_input(key="contrast-neighbours").value == 2
    assert app.number_input(key="contrast-least").value == 0.0
    assert "just computed" in said(app)


def test_a_change_of_the_contrast_is_in_the_address(tiny_run: Run) -> None:
    app = opened()
    app.selectbox(key="contrast-cold").set_value(0.1).run()
    assert not app.exception
    assert app.query_params["contrast"] == ["quantile:0.1"] or app.query_params["contrast"] == "quantile:0.1"
    app.number_input(key="contrast-least").set_value(0.3).run()
    assert not app.exception
    assert "least:0.3" in str(app.query_params["contrast"])


@pytest.mark.parametrize("contrast", ["median", "quantile:2", "neighbours:0"])
def test_a_contrast_that_is_none_leads_back(tiny_run: Run, contrast: str) -> None:
    app = opened(contrast=contrast)
    assert "contrast" in said(app).lower()
    assert [button.label for button in app.button if "own contrast" in button.label]


@pytest.mark.parametrize("fits", [True, False])
def test_the_strongest_button_says_what_the_head_says(own_home: Path, fits: bool) -> None:
    explorer = open_explorer("demo-saes")
    fire = set(explorer.neurons("layer4.topk").frame.query("state != 'never-fires'").index)
    claimed = fire - unclaimed(explorer, "layer4.topk")
    neuron = min(claimed if fits else fire - claimed)
    app = opened(run="demo-saes", layer="layer4.topk", neuron=str(neuron))
    assert ("Nothing fits" in [one.value for one in app.subheader]) != fits
    strongest = [
        one.key for one in app.button if one.key in ("accept", "none") and one.proto.type == "primary"
    ]
    assert strongest == ["accept" if fits else "none"]
