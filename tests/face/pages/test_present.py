"""Present mode: five steps with links and keys, no numbers of neurons, nothing that changes data."""

from streamlit.testing.v1 import AppTest

from csp.keeping.bundle import ASSETS
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import open_explorer
from csp.work.neurons.showcase import turns
from csp.work.reviews.desk import Person, ReviewDesk
from tests.face.pages.test_pages import drawn, opened, said

STEPS = 5


def all_words(app: AppTest) -> str:
    return said(app) + "\n".join(header.value for header in app.header).replace("\\", "")


def test_the_tour_makes_its_point_in_five_steps() -> None:
    best = turns(Run.open(ASSETS / "runs" / "demo"))[0]
    app = opened("pages/present.py", run="demo")
    steps = []
    for step in range(1, STEPS + 1):
        assert app.query_params.get("step", ["1"]) in (str(step), [str(step)])
        steps.append(all_words(app))
        for grid in drawn(app, "tiles"):
            assert all(tile["alt"] and not tile["number"] for tile in grid["tiles"])
        last = app.button(key="next").disabled
        assert last == (step == STEPS)
        if not last:
            app.button(key="next").click().run()
    assert best.plain in steps[0]
    assert best.contrastive not in steps[0]
    assert best.contrastive in steps[2]
    assert "A person decides" in steps[4]
    assert str(best.neuron) not in "".join(steps).split()
    assert all("Not for diagnosis" in words for words in steps)
    app.button(key="previous").click().run()
    assert "not the only one" in all_words(app)


def test_a_step_has_a_link_and_a_wrong_one_says_so(tiny_run: Run) -> None:
    assert "look-alikes" in all_words(opened("pages/present.py", run="demo", step="2"))
    assert "step is a whole number from 1 to 5" in said(opened("pages/present.py", run="demo", step="9"))


def test_nothing_on_it_changes_data() -> None:
    app = opened("pages/present.py", run="demo", step="3")
    kinds = {button.key for button in app.button} - {"help", "sign-out"}
    assert kinds == {"previous", "next"}


def test_the_others_are_neurons_whose_label_means_something_else() -> None:
    explorer = open_explorer("demo")
    other = sum(not explorer.synonyms.same(one.plain, one.contrastive) for one in turns(explorer.run))
    app = opened("pages/present.py", run="demo", step="4")
    assert f"for {other} of 768 neurons" in all_words(app)
    arrows = [each.value.replace("\\", "") for each in app.markdown if " → " in each.value]
    assert len(arrows) == 4
    for arrow in arrows:
        plain, contrastive = arrow.replace(":blue[**", "").replace("**]", "").split(" → ")
        assert not explorer.synonyms.same(plain, contrastive)


def test_a_presented_label_says_whose_it_is(tiny_run: Run) -> None:
    machine = all_words(opened("pages/present.py", run="tiny", layer="late", neuron="0"))
    assert "The machine suggests:" in machine
    with open_reviews() as reviews:
        desk, ann = ReviewDesk(tiny_run, reviews), Person(name="Ann")
        desk.record(ann, Entry(layer="late", neuron=0, verdict=Action.FLAG))
        flagged = all_words(opened("pages/present.py", run="tiny", layer="late", neuron="0"))
        assert "The machine suggests:" in flagged and "ruler" in flagged, "a flag takes no label away"
        desk.record(ann, Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label="ink"))
    words = all_words(opened("pages/present.py", run="tiny", layer="late", neuron="0"))
    assert "ink" in words and "written by Ann (name not checked)" in words
    assert "The machine suggests" not in words


def test_any_neuron_can_be_presented(tiny_run: Run) -> None:
    app = opened("pages/present.py", run="tiny", layer="late", neuron="0")
    assert "ruler" in all_words(app)
    assert len(drawn(app, "tiles")) == 2
    assert app.button(key="previous").disabled
    app.button(key="next").click().run()
    assert app.query_params["neuron"] in ("1", ["1"])
