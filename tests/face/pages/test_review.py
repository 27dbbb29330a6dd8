"""Judging on the pages, without a browser: what is recorded, what is shown, who may do what."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import Person, ReviewDesk
from tests import patience
from tests.face.pages.test_pages import ROOT, drawn, opened, said

BO = Person(name="Bo", verified=True)


@pytest.fixture
def tiny(tiny_run: Run) -> Iterator[Run]:
    """The tiny run, and caches of pages that know of no other record."""
    st.cache_resource.clear()
    yield tiny_run
    st.cache_resource.clear()


def neuron_page(number: int, **address: str) -> AppTest:
    return opened("pages/neuron.py", run="tiny", layer="late", neuron=str(number), **address)


def events() -> list[Event]:
    with open_reviews() as reviews:
        assert reviews.verify().ok
        return reviews.events()


def record(run: Run, person: Person, act: Action, neuron: int, **given: Any) -> Event:
    with open_reviews() as reviews:
        said = Entry(layer="late", neuron=neuron, verdict=act, **given)
        return ReviewDesk(run, reviews).record(person, said).event


def pressed(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("accept", Action.CONFIRM),
        ("none", Action.REJECT),
        ("unsure", Action.UNSURE),
        ("pick-2", Action.OVERRIDE),
    ],
)
def test_a_button_records_and_goes_on(tiny: Run, key: str, verdict: Action) -> None:
    app = pressed(neuron_page(0), key)
    (event,) = events()
    assert (event.neuron, event.verdict, event.gamma, event.examples) == (0, verdict, 1.0, 5)
    assert not event.reviewer_verified
    assert app.query_params["neuron"] == "1"


def test_of_presses_before_the_bar_is_drawn_the_first_counts(tiny: Run) -> None:
    """One is for this neuron; what comes with it was pressed twice, or for the neuron before."""
    app = neuron_page(0)
    app.query_params["neuron"] = "3"
    app.button(key="accept").click()
    pressed(app, "unsure")
    assert [(event.neuron, event.verdict) for event in events()] == [(3, Action.CONFIRM)]
    assert app.query_params["neuron"] == "4"


def test_what_was_on_screen_is_recorded(tiny: Run) -> None:
    app = neuron_page(1, gamma="0.5", examples="3")
    first = app.button(key="pick-1").label
    pressed(app, "pick-1")
    (event,) = events()
    assert (event.verdict, event.gamma, event.examples) == (Action.CONFIRM, 0.5, 3)
    assert event.label == event.machine_label
    assert event.label is not None
    assert event.label in first


def test_the_machines_own_words_are_a_confirmation(tiny: Run) -> None:
    app = neuron_page(0, edit="true")
    machine = tiny.labels("late").query("neuron == 0 and labeler == 'csp' and rank == 1")["label"].item()
    app.text_input(key="verdict-label-late-0").set_value(machine.upper())
    pressed(app, "save")
    assert [one.verdict for one in events()] == [Action.CONFIRM]


def test_reason_and_tags_go_along_with_any_verdict(tiny: Run) -> None:
    app = neuron_page(0, edit="true")
    app.text_input(key="verdict-reason-late-0").set_value("a line")
    app.multiselect(key="verdict-tags-late-0").set_value(["artefact:ruler"])
    pressed(app, "accept")
    (event,) = events()
    assert (event.reason, event.tags) == ("a line", ("artefact:ruler",))
    assert not [box for box in app.text_input if box.key.startswith("verdict-")], (
        "these boxes were for one neuron"
    )


def test_an_empty_label_is_refused_and_what_was_typed_is_kept(tiny: Run) -> None:
    app = neuron_page(0, edit="true")
    app.text_input(key="verdict-reason-late-0").set_value("nothing fits well")
    pressed(app, "save")
    assert "an override needs a label" in app.error[0].value.replace("\\", "").lower()
    pressed(app, "drop")
    assert app.text_input(key="verdict-reason-late-0").value == "nothing fits well"
    assert events() == []


def test_typed_words_stay_with_their_neuron(tiny: Run) -> None:
    app = neuron_page(0, edit="true")
    app.text_input(key="verdict-label-late-0").set_value("half a thought").run()
    pressed(app, "next")
    assert app.text_input(key="verdict-label-late-1").value == ""
    pressed(app, "previous")
    assert app.text_input(key="verdict-label-late-0").value == "half a thought"


def test_a_draft_comes_back_to_its_author(tiny: Run) -> None:
    app = neuron_page(0, edit="true")
    app.text_input(key="verdict-label-late-0").set_value("some line")
    pressed(app, "draft")
    assert [one.verdict for one in events()] == [Action.DRAFT]
    assert app.query_params["neuron"] == "0"
    assert neuron_page(0).text_input(key="verdict-label-late-0").value == "some line"


def test_a_flag_stays_and_undo_comes_back(tiny: Run) -> None:
    app = pressed(neuron_page(0), "flag")
    assert "Second look" in said(app)
    app = pressed(app, "accept")
    app = pressed(app, "undo")
    assert app.query_params["neuron"] == "0"
    assert [one.verdict for one in events()] == [Action.FLAG, Action.CONFIRM, Action.UNDO]
    pressed(app, "undo")
    assert events()[-1].undoes == events()[0].token


def test_the_persons_label_comes_first_and_the_machines_stays(tiny: Run) -> None:
    record(tiny, BO, Action.OVERRIDE, 0, label="ink spots")
    for page in ("pages/neuron.py", "pages/review.py"):
        app = opened(page, run="tiny", layer="late", neuron="0", queue="all")
        assert "ink spots" in "".join(head.value for head in app.subheader)
        assert "Written by Bo" in said(app)
        assert "The machine suggests" in said(app)


def test_the_first_key_confirms_what_the_head_says(tiny: Run) -> None:
    record(tiny, BO, Action.OVERRIDE, 0, label="ink spots; hairs")
    app = neuron_page(0)
    assert "ink spots; hairs" in app.button(key="accept").label
    pressed(app, "accept")
    assert (events()[-1].verdict, events()[-1].label) == (Action.OVERRIDE, "ink spots; hairs")
    record(tiny, BO, Action.REJECT, 1)
    record(tiny, BO, Action.REJECT, 2)
    record(tiny, Person(name="Cy"), Action.CONFIRM, 2)
    for neuron in (1, 2):
        assert neuron_page(neuron).button(key="accept").disabled, "no label stands first"


def test_disputes_are_shown_with_both_sides_and_settled_by_a_third(tiny: Run) -> None:
    record(tiny, BO, Action.OVERRIDE, 0, label="ink spots")
    record(tiny, Person(name="Cy"), Action.REJECT, 0)
    app = opened("pages/review.py", run="tiny", layer="late", queue="disagreements")
    assert app.query_params["neuron"] == "0"
    assert "People disagree" in said(app)
    assert "Cy (name not checked)" in said(app)
    pressed(app, "pick-2")
    event = events()[-1]
    assert (event.verdict, event.label) == (Action.RESOLVE, "ink spots")
    assert "Nothing is left" in "".join(one.value for one in app.success)


def test_history_lists_every_event(tiny: Run) -> None:
    first = record(tiny, BO, Action.OVERRIDE, 0, label="<b>ink</b>", reason="looks *odd*")
    record(tiny, BO, Action.UNDO, 0, undoes=first.token)
    app = neuron_page(0)
    (table,) = [one for one in drawn(app, "rows") if one["title"].startswith("Review history")]
    texts = [[cell[1] for cell in row["cells"]] for row in table["rows"]]
    assert texts[0][2] == "takes back: replaced by <b>ink</b>"
    assert texts[1][2:3] + texts[1][5:6] == ["replaced by <b>ink</b>", "looks *odd*"]
    assert texts[1][-1] == "taken back"


def test_a_damaged_record_is_a_red_bar_on_every_page(tiny: Run) -> None:
    for neuron in range(3):
        record(tiny, BO, Action.CONFIRM, neuron)
    path = open_reviews().location.path
    assert path is not None
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE review_events SET label = 'ink' WHERE sequence = 2")
    connection.close()
    for page in ("app.py", "pages/neurons.py", "pages/review.py", "pages/neuron.py", "pages/audit.py"):
        app = opened(page, run="tiny")
        assert not app.exception, page
        assert "event 2 was changed after" in app.error[0].value.replace("\\", "")


def test_a_record_that_cannot_be_read_leaves_the_machines_labels(own_home: Path, tiny: Run) -> None:
    (own_home / "reviews.sqlite").write_bytes(b"not a database, but long enough to look like one" * 9)
    app = neuron_page(0)
    assert "is damaged: restore it" in app.error[0].value.replace("\\", "")
    pressed(app, "accept")
    assert any("not recorded yet" in error.value for error in app.error)
    assert app.button(key="retry").label == "Retry"


def test_two_tabs_of_one_person_both_count_and_the_later_stands(tiny: Run) -> None:
    """The older tab does not ask about one's own verdict; no dispute is made of it."""
    one, two = neuron_page(0), neuron_page(0)
    pressed(one, "accept")
    pressed(two, "none")
    with open_reviews() as reviews:
        state = ReviewDesk(tiny, reviews).neuron("late", 0)
    assert [event.verdict for event in state.events] == [Action.CONFIRM, Action.REJECT]
    assert [event.verdict for event in state.verdicts.values()] == [Action.REJECT] and not state.disputed
    assert {event.reviewer for event in state.events} == {"Ina"}


def test_agreement_and_disputes_are_measured(tiny: Run) -> None:
    for neuron, act in ((0, Action.CONFIRM), (1, Action.REJECT)):
        record(tiny, BO, act, neuron)
        record(tiny, Person(name="Cy"), Action.CONFIRM, neuron)
    app = opened("pages/review.py", run="tiny", layer="late", queue="all")
    tables = {table["title"]: table["rows"] for table in drawn(app, "rows")}
    assert tables["Agreement of reviewers"][0]["cells"][0][1] == "Bo and Cy"
    assert tables["Agreement of reviewers"][0]["cells"][2:] == [["text", "50 %"], ["text", "2"]]
    assert tables["Open disputes"][0]["href"].endswith("neuron=1&queue=disagreements")


def test_the_first_verdict_asks_who_is_judging(tiny: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of the machine is nobody: 22 verdicts were recorded as `root`."""
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    app = neuron_page(0)
    del app.session_state["reviewer"]
    pressed(app, "accept")
    assert "Who is judging?" in said(app) and events() == []
    app.text_input(key="judge-name").set_value(" Ann  B ")
    next(one for one in app.button if one.label == "Record as this person").click().run()
    assert not app.exception
    pressed(app, "none")
    assert [(one.reviewer, one.neuron) for one in events()] == [("Ann B", 0), ("Ann B", 1)]


def test_behind_a_proxy_only_its_visitors_get_in(
    own_home: Path, tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_PROXY_SECRET", "a secret of the proxy")
    (own_home / "team.toml").write_text('sign_in = "proxy"')
    app = AppTest.from_file(str(ROOT / "pages" / "neuron.py"), default_timeout=patience.SECONDS)
    app.query_params.update({"run": "tiny", "layer": "late", "neuron": "0"})
    app.run()
    assert "Please sign in" in app.subheader[0].value
    assert not drawn(app, "tiles")
    assert not [one for one in app.button if one.key == "accept"]
