"""The neuron page's views, the compare page and the page of classes, with the tiny run."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from csp.face.screen.neuron import similar
from csp.keeping.home import result_cache_folder
from csp.keeping.library import find
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.models import reopen
from csp.work.neurons.compare import compare_labelers
from tests.build import add_pushes
from tests.face.pages.test_pages import NEVER, RULER, awaited, drawn, opened, said


def cards(app: AppTest) -> list[str]:
    return [card["title"] for grid in drawn(app, "cards") for card in grid["cards"]]


def test_pairs_stand_side_by_side(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER), view="pairs")
    (grid,) = drawn(app, "tiles")
    assert [tile["tone"] for tile in grid["tiles"]] == ["blue", "orange"] * 5
    assert [tile["number"] for tile in grid["tiles"]] == [str(place // 2 + 1) for place in range(10)]


def test_levels_show_strong_and_weak_images(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(RULER), view="levels")
    values = tiny_run.activations("late", RULER)
    fired = [values[tile["image"]] for grid in drawn(app, "tiles") for tile in grid["tiles"]]
    assert fired == sorted(fired, reverse=True)
    assert "Weakest 50 %" in said(app)


def test_similar_neurons_are_links_with_pictures(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(RULER))
    (grid,) = drawn(app, "cards")
    assert grid["cards"][0]["href"].startswith("neuron?run=tiny&layer=late&neuron=")
    assert grid["cards"][0]["pictures"][0]["src"].startswith("data:image/webp")
    silent = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(NEVER))
    assert "No other neuron of this layer" in said(silent)


def test_latents_that_add_the_same_stand_beside_them(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = np.ones((tiny_run.layer("early").neurons, 3), np.float32)
    decoder[RULER] = decoder[4] = (-1, 0, 2)
    monkeypatch.setattr(Run, "decoder", lambda _run, _layer: decoder)
    similar._similar_by_decoder.clear()
    app = opened("pages/neuron.py", run="tiny", layer="early", neuron=str(RULER))
    similar._similar_by_decoder.clear()
    assert "Add the same" in said(app)
    _, grid = drawn(app, "cards")
    assert grid["cards"][0]["title"] == "4 · 1.00"


def test_an_image_opens_by_its_address_with_its_facts(tiny_run: Run) -> None:
    examples = tiny_run.examples("late", RULER)
    assert examples is not None
    image = int(examples.activating[1])
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(RULER), image=str(image))
    words = said(app)
    assert f"Image {image}: activation" in words
    assert f"lesions/{image:03}.png" in words
    assert "% sure" in words
    app.button(key="next-image").click().run()
    assert app.query_params["image"] == str(examples.activating[2])
    app.button(key="next").click().run()
    assert "image" not in app.query_params


def test_where_it_fires_says_what_is_missing(tiny_run: Run) -> None:
    app = awaited(opened("pages/neuron.py", run="tiny", neuron=str(RULER), heat="true"))
    assert "can't be shown" in app.warning[0].value.replace("\\", "")
    app.button(key="heat-map").click().run()
    assert "heat" not in app.query_params and not app.warning


def overlays(app: AppTest) -> list[str]:
    return [tile["overlay"] for grid in drawn(app, "tiles") for tile in grid["tiles"] if tile["overlay"]]


def test_the_page_goes_on_while_the_model_is_opened(own_home: Path) -> None:
    with reopen._OPENING:  # as if it took for ever
        app = opened("pages/neuron.py", run="demo", layer="layer4", neuron="3")
        words = app.button(key="heat-map").label
        app.button(key="heat-map").click().run()
        assert "Working out where it fires" in said(app)
        assert app.button(key="heat-map").label == words, "a longer one takes the toolbar another line"
        assert drawn(app, "tiles") and not overlays(app)
        app.button(key="next").click().run()
        assert "Neuron 4" in said(app) and "Working out where it fires" in said(app)
        app.button(key="cancel-heat").click().run()
        assert "heat" not in app.query_params and "Working out" not in said(app)
        app.button(key="heat-map").click().run()
        assert "Working out where it fires" in said(app)
    assert len(overlays(awaited(app))) == 18
    assert "Bright where the neuron fires" in said(app)


def test_a_pinned_neuron_leads_to_the_comparison(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron="0")
    app.button(key="pin").click().run()
    app.button(key="next").click().run()
    assert app.query_params["pin"] == "0"
    assert any("Compare with 0" in link.proto.label for link in app.get("page_link"))


def test_changed_labels_come_first(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", what="labelers", a="csp", b="clip-dissect")
    (table,) = drawn(app, "rows")
    explorer = Explorer(tiny_run, ResultCache(result_cache_folder()))
    found = compare_labelers(explorer, "late", "csp", "clip-dissect")
    assert [row["cells"][0][1] for row in table["rows"]] == [str(one) for one in found.frame["neuron"]]
    assert f"{found.changed - found.reworded} of 6 neurons" in said(app)
    badges = [[badge[0] for badge in row["cells"][-1][1]] for row in table["rows"]]
    words = {(True, True): ["another word"], (True, False): ["changed"], (False, False): []}
    assert badges == [words[row.changed, row.reworded] for row in found.frame.itertuples()]


def test_swap_exchanges_the_sides(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", what="gammas", a="0.2", b="0.9")
    app.button(key="swap").click().run()
    assert not app.exception
    assert (app.query_params["a"], app.query_params["b"]) == ("0.9", "0.2")


def test_two_neurons_face_each_other(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", a="0", b=str(NEVER))
    assert "alike to **0.00**" in app.markdown[0].value or "alike to 0.00" in said(app).replace("*", "")
    assert "Neuron 0" in said(app) and f"Neuron {NEVER}" in said(app)
    assert "No image makes it fire." in said(app)


def test_runs_of_other_layers_are_a_sentence(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", what="runs", a="tiny", b="demo")
    assert "has no layer late" in app.warning[0].value.replace("\\", "")


def test_concepts_of_two_runs_need_a_layer_in_common(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", what="concepts", a="tiny", b="demo")
    assert "no layer in common" in awaited(app).warning[0].value


def test_a_neuron_is_compared_with_itself(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", a="0", b="0")
    assert "alike to **1.00**" in said(app)
    assert "What the machine suggests, by Consensus" in said(app)
    assert "First by CSP" in said(app)


@pytest.mark.parametrize(
    ("what", "side"), [("labelers", "csp"), ("gammas", "1"), ("runs", "tiny"), ("concepts", "tiny")]
)
def test_a_side_is_compared_with_itself(tiny_run: Run, what: str, side: str) -> None:
    opened("pages/compare.py", run="tiny", layer="late", what=what, a=side, b=side)


def test_one_run_alone_is_not_compared_with_itself(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "demo").symlink_to(find.SHIPPED_RUNS / "demo")
    monkeypatch.setattr(find, "SHIPPED_RUNS", tmp_path / "shipped")
    app = opened("pages/compare.py", run="demo", what="runs")
    assert "only one run on this machine" in app.info[0].value
    assert not drawn(app, "rows")


def test_classes_show_neurons_for_and_against_and_artefacts(tiny_run: Run) -> None:
    unmeasured = opened("pages/classes.py", run="tiny", layer="late")
    assert "was not measured" in unmeasured.info[0].value
    assert unmeasured.button(key="measure-attribution").label == "Measure it"
    assert not drawn(unmeasured, "cards"), "what was not measured is not shown as push"
    add_pushes(tiny_run)
    app = opened("pages/classes.py", run="tiny", layer="late")
    assert {title.value for title in app.subheader} >= {"nevus", "melanoma"}
    assert cards(app)
    (table,) = drawn(app, "rows")
    assert any("ruler" in row["cells"][0][1] for row in table["rows"])
    one = opened("pages/classes.py", run="tiny", layer="late", **{"class": "nevus"})
    assert "melanoma" not in {title.value for title in one.subheader}


@pytest.mark.parametrize(
    ("page", "address", "words"),
    [
        ("pages/neuron.py", {"view": "sideways"}, "asks for view 'sideways'"),
        ("pages/neuron.py", {"image": "40"}, "from 0 to 39"),
        ("pages/compare.py", {"what": "people"}, "asks for what 'people'"),
        ("pages/compare.py", {"a": "6"}, "from 0 to 5"),
        ("pages/compare.py", {"what": "labelers", "b": "csq"}, "asks for b 'csq'"),
        ("pages/compare.py", {"what": "gammas", "a": "2"}, "from 0 to 1"),
        ("pages/classes.py", {"class": "wart"}, "asks for class 'wart'"),
    ],
)
def test_wrong_address_leads_on(tiny_run: Run, page: str, address: dict[str, str], words: str) -> None:
    app = opened(page, run="tiny", **address)
    assert words in app.warning[0].value.replace("\\", "")
    assert any(str(button.key).startswith("way-") for button in app.button)
