"""The several things that a neuron looks for, on its page."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from csp.keeping.reviews.normalise import label_parts
from csp.work.explorer.explorer import open_explorer
from csp.work.reviews.desk import open_reviewing
from tests import patience

ROOT = Path(__file__).parents[3]
LAYER = "layer4"


def opened(neuron: int, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
    app.switch_page("pages/neuron.py")
    app.query_params.update({"run": "demo", "layer": LAYER, "neuron": str(neuron)} | address)
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(part.value for part in (*app.markdown, *app.caption, *app.subheader)).replace("\\", "")


def test_all_that_a_neuron_looks_for_is_read_grouped_and_judged_thing_by_thing(own_home: Path) -> None:
    found = open_explorer("demo").stored_facets.of(LAYER)
    neuron = next(neuron for neuron, facets in found.items() if len(facets) > 1)
    names = [one.label for one in found[neuron]]
    app = opened(neuron)
    words = said(app).replace("\u2068", "").replace("\u2069", "")
    assert ", also ".join(names) in words
    for one in found[neuron]:
        assert f"**{one.label}** {100 * one.share:.0f} % (chance" in words
    assert app.button(key="by-facet").label == "Group pictures"
    app.button(key="by-facet").click().run()
    assert "facets" in app.query_params["by"]
    assert app.button(key="by-facet").label == "Grouped by thing"

    parts = app.button_group(key=f"verdict-parts-{LAYER}-{neuron}")
    assert list(parts.value) == names
    parts.set_value(names[1:]).run()
    assert names[0] not in app.button(key="accept").label.replace("\\", "")
    app.button(key="accept").click().run()
    app.text_input(key="judge-name").input("Ann")
    next(one for one in app.button if one.label == "Record as this person").click().run()
    state = open_reviewing("demo").neuron(LAYER, neuron)
    assert (label_parts(state.label), label_parts(state.machine_label)) == (tuple(names[1:]), tuple(names))


def test_of_one_thing_nothing_more_is_shown_and_of_a_lacking_one_that_it_is(own_home: Path) -> None:
    found = open_explorer("demo").stored_facets.of(LAYER)
    neuron = next(neuron for neuron, facets in found.items() if len(facets) == 1 and facets[0].absent)
    app = opened(neuron, by="facets")
    assert not [one for one in app.button if one.key == "by-facet"]
    heads = [head.value.replace("\\", "").strip("\u2068\u2069") for head in app.subheader]
    assert found[neuron][0].label in heads
    assert "fires where it is lacking" in said(app)
