"""A press that comes while the next page is on its way counts from the address, not from what was drawn."""

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from csp.keeping.run_folder.manifest import LayerRecord
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import open_explorer
from tests import patience
from tests.face.pages.test_pages import awaited, opened
from tests.face.pages.test_review import events


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Caches of pages know of no other record."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def pressed(app: AppTest, key: str, **address: str) -> AppTest:
    """Press a button of the page as it was drawn before the address became this."""
    for name, value in address.items():
        app.query_params[name] = value
    return app.button(key=key).click().run()


def at(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[-1]


@pytest.mark.parametrize(("key", "neuron"), [("next", "2"), ("previous", "0")])
def test_a_step_counts_from_the_neuron_in_the_address(tiny_run: Run, key: str, neuron: str) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0")
    assert at(pressed(app, key, neuron="1"), "neuron") == neuron


def test_a_step_back_from_the_first_neuron_leads_to_the_last(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0")
    assert at(pressed(app, "previous"), "neuron") == str(tiny_run.layer("late").neurons - 1)


def test_the_pin_takes_the_neuron_in_the_address(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0")
    assert at(pressed(app, "pin", neuron="1"), "pin") == "1"


def test_the_next_picture_follows_the_one_in_the_address(tiny_run: Run) -> None:
    pairs = tiny_run.activations("late", 0).argsort()[::-1].tolist()
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0", image=str(pairs[0]))
    assert at(pressed(app, "next-image", image=str(pairs[1])), "image") == str(pairs[2])


def test_the_tour_goes_on_from_the_step_in_the_address() -> None:
    app = opened("pages/present.py", run="demo", step="1")
    assert at(pressed(app, "next", step="2"), "step") == "3"


def test_swapped_twice_is_as_before(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", what="neurons", a="3", b="5")
    pressed(app, "swap", a="5", b="3")
    assert (at(app, "a"), at(app, "b")) == ("3", "5")


def test_a_second_switch_keeps_the_first() -> None:
    app = awaited(opened("pages/try.py", run="demo", layer="layer4", image="3"))
    first, second = [toggle.key for toggle in app.toggle if (toggle.key or "").startswith("sees-")][:2]
    assert first and second
    app.query_params["off"] = first.removeprefix("sees-")
    app.toggle(key=second).set_value(False).run()
    assert at(app, "off") == f"{first.removeprefix('sees-')},{second.removeprefix('sees-')}"


def test_a_step_keeps_to_the_layer_in_the_address() -> None:
    layers = open_explorer("demo").run.manifest.layers
    drawn, other = min(layers, key=neurons), max(layers, key=neurons)
    assert neurons(drawn) < neurons(other)
    app = opened("pages/neuron.py", run="demo", layer=drawn.layer, neuron="0")
    assert at(pressed(app, "previous", layer=other.layer), "neuron") == str(neurons(other) - 1)


def neurons(layer: LayerRecord) -> int:
    return layer.neurons


def test_random_is_drawn_when_it_is_pressed(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.randrange", lambda low, high=None: 0 if high is None else low)
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0")
    assert at(pressed(app, "random"), "neuron") == "1"
    assert at(pressed(app, "random", neuron="3"), "neuron") == "4"


@pytest.mark.parametrize(
    ("key", "first", "left"),
    [("grids", {"view": "pairs"}, {"view": "groups"}), ("heat-map", {"heat": "true"}, {})],
)
def test_a_switch_pressed_twice_is_as_before(
    tiny_run: Run, key: str, first: dict[str, str], left: dict[str, str]
) -> None:
    app = pressed(opened("pages/neuron.py", run="tiny", layer="late", neuron="0"), key, **first)
    for name in first:
        assert ({name: at(app, name)} if name in app.query_params else {}) == left


def listing() -> None:
    import streamlit as st

    from csp.face.screen.elements.pager import more

    more(int(st.query_params.get("most", "4")), 9, 4)


@pytest.mark.parametrize(
    ("address", "most"), [({}, ["8"]), ({"most": "8"}, ["9"]), ({"query": "another list"}, [])]
)
def test_more_is_more_than_what_is_on_its_way_and_of_the_list_that_was_seen(
    address: dict[str, str], most: list[str]
) -> None:
    app = pressed(AppTest.from_function(listing, default_timeout=patience.SECONDS).run(), "more", **address)
    assert [at(app, name) for name in app.query_params if name == "most"] == most


def test_a_side_of_another_comparison_is_none(tiny_run: Run) -> None:
    app = opened("pages/compare.py", run="tiny", layer="late", what="neurons")
    app.query_params["what"] = "labelers"
    app.number_input(key="compare-neurons-a").set_value(5).run()
    assert "a" not in app.query_params
    assert not app.warning


def test_words_for_one_neuron_are_said_of_no_other(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0", edit="true")
    app.text_input(key="verdict-label-late-0").set_value("half a thought")
    pressed(app, "save", neuron="1")
    assert not app.error and events() == []


def test_a_skip_before_the_bar_is_drawn_counts(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="0")
    assert at(pressed(app, "skip", neuron="3"), "neuron") == "4"


def test_what_was_said_since_the_button_was_drawn_is_taken_back_first(tiny_run: Run) -> None:
    app = pressed(opened("pages/neuron.py", run="tiny", layer="late", neuron="0"), "accept")
    assert app.button(key="undo").label == "Undo 0"
    app.button(key="accept").click()
    pressed(app, "undo")
    first, second, last = events()
    assert (first.neuron, second.neuron, last.neuron) == (0, 1, 1)
    assert last.undoes == second.token
    assert at(app, "neuron") == "1"


def test_of_the_last_verdicts_each_button_takes_back_its_own(tiny_run: Run) -> None:
    pressed(opened("pages/neuron.py", run="tiny", layer="late", neuron="0"), "accept")
    app = pressed(opened("pages/review.py", run="tiny", layer="late", neuron="3"), "unsure")
    first, _ = events()
    pressed(app, f"undo-{first.token}")
    assert events()[-1].undoes == first.token


def answered_twice() -> None:
    import streamlit as st

    from csp.face.screen.atlas.bulk import _record
    from csp.face.screen.state.cached import rows_of
    from csp.keeping.reviews.vocabulary import Action
    from csp.work.explorer.explorer import open_explorer

    st.session_state["reviewer"] = "Ina"
    explorer = open_explorer("tiny")
    rows = rows_of(explorer, "late")
    for _ in range(2):
        _record(explorer, rows, rows.frame.iloc[:2], (Action.UNSURE, (), ""), "one question")


def test_one_question_is_answered_once(tiny_run: Run) -> None:
    app = AppTest.from_function(answered_twice, default_timeout=patience.SECONDS).run()
    assert not app.exception, app.exception
    assert [one.neuron for one in events()] == [0, 1]


def thrown_away_twice() -> None:
    import streamlit as st

    from csp.face.screen.runs.cards import SAID, _discard

    _discard("tiny")
    _discard("tiny")
    st.write(st.session_state[SAID][1])


def test_what_was_done_is_said_also_if_it_was_pressed_twice(tiny_run: Run) -> None:
    app = AppTest.from_function(thrown_away_twice, default_timeout=patience.SECONDS).run()
    assert not app.exception, app.exception
    assert "moved to" in app.markdown[0].value
