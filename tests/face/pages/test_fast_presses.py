"""A press that comes while the next page is on its way counts from the address, not from what was drawn."""

import pytest
from streamlit.testing.v1 import AppTest

from csp.keeping.run_folder.run import Run
from tests.face.pages.test_pages import awaited, opened


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
