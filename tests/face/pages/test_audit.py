"""The audit page: numbers, artefacts, the log and its verification, the report."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import Person, ReviewDesk
from tests.face.pages.test_pages import drawn, opened, said

ANN, BO = Person(name="Ann"), Person(name="Bo *bold*")


@pytest.fixture
def desk(tiny_run: Run) -> Iterator[ReviewDesk]:
    """The tiny run with a dispute, an artefact tag and an undecided neuron."""
    with open_reviews() as reviews:
        desk = ReviewDesk(tiny_run, reviews)
        desk.record(ANN, Entry(layer="late", neuron=0, verdict=Action.CONFIRM))
        desk.record(
            BO,
            Entry(
                layer="late",
                neuron=0,
                verdict=Action.OVERRIDE,
                label="<b>ruler marks</b>",
                reason="see *scale*",
                tags=("artefact:ruler",),
            ),
        )
        desk.record(ANN, Entry(layer="late", neuron=1, verdict=Action.UNSURE))
        yield desk


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def cells(app: AppTest, title: str) -> list[list[object]]:
    (table,) = [each for each in drawn(app, "rows") if each["title"] == title]
    return [[value for _, value in row["cells"]] for row in table["rows"]]


def test_it_opens_before_anybody_reviewed(tiny_run: Run) -> None:
    app = opened("pages/audit.py", run="tiny")
    assert metrics(app)["Neurons checked"] == "0 of 12"
    assert metrics(app)["Machine's labels wrong"] == "–"
    assert "all labels are the machine's suggestions" in said(app)


def test_it_says_what_was_checked_and_what_is_open(desk: ReviewDesk) -> None:
    app = opened("pages/audit.py", run="tiny")
    found = metrics(app)
    assert found["Neurons checked"] == "1 of 12"
    assert "From all queues together: people decided on 1 neuron (1 replaced) and gave" in said(app)
    assert (found["Open disputes"], found["Review record"]) == ("1", "sound")
    assert ["late", "6", "1", "17 %", "1", "1", "0"] in cells(app, "What was checked")
    ((_, _, both),) = cells(app, "Open disputes")
    assert "Bo *bold* (name not checked): <b>ruler marks</b> (see *scale*)" in str(both)


def test_how_good_the_model_is_by_a_column_of_the_dataset(tiny_run: Run) -> None:
    app = opened("pages/audit.py", run="tiny", view="model", by="hairs", **{"class": "melanoma"})
    (table,) = drawn(app, "rows")
    assert [row["cells"][0][1] for row in table["rows"]] == ["no", "yes", "all images"]
    assert "is right on" in said(app) and "melanoma" in said(app)
    assert len(app.get("plotly_chart")) == 1
    assert "asks for by 'wart'" in said(opened("pages/audit.py", run="tiny", view="model", by="wart"))


def test_artefact_neurons_come_with_pictures_and_the_class_they_push(desk: ReviewDesk) -> None:
    app = opened("pages/audit.py", run="tiny", view="artefacts")
    (first,) = [row for row in cells(app, "Artefact neurons") if row[0] == "late\u00a0/\u00a00"]
    assert len(first[1]) > 0  # type: ignore[arg-type]
    assert first[2] == ["ruler marks", "label: <b>ruler marks</b>"]
    assert first[3:] == ["not measured", "a person's label"]


def test_criteria_count_labels_and_tags(desk: ReviewDesk) -> None:
    desk.record(ANN, Entry(layer="late", neuron=2, verdict=Action.OVERRIDE, label="blue-white veil"))
    app = opened("pages/audit.py", run="tiny", view="criteria")
    (veil,) = [row for row in cells(app, "7-point checklist") if row[0] == "blue-white veil"]
    assert (veil[1], *veil[4:]) == ("1", "1", "0")
    assert float(str(veil[3])) >= 0, "what labels of noise would give stands beside the count"


def test_the_log_is_filtered_by_the_address(desk: ReviewDesk) -> None:
    def numbers(**address: str) -> list[object]:
        app = opened("pages/audit.py", run="tiny", view="log", **address)
        return [row[0] for row in cells(app, "Events")]

    assert numbers() == ["3", "2", "1"]
    assert numbers(by="Ann") == ["3", "1"]
    assert numbers(act="override") == ["2"]
    assert numbers(words="SCALE") == ["2"]
    nobody = opened("pages/audit.py", run="tiny", view="log", by="Cy")
    assert "The address asks for by 'Cy', which there is not." in said(nobody)


def test_a_change_behind_the_records_back_is_found_and_named(desk: ReviewDesk, own_home: Path) -> None:
    app = opened("pages/audit.py", run="tiny", view="log")
    app.button(key="verify-button").click().run()
    assert "All 3 events are as they were recorded" in app.success[0].value
    with closing(sqlite3.connect(own_home / "reviews.sqlite")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE review_events SET label = 'nevus' WHERE sequence = 2")
    app.button(key="verify-button").click().run()
    assert any("First bad event: no. 2" in error.value for error in app.error)


def test_a_hash_noted_earlier_must_still_be_there(desk: ReviewDesk) -> None:
    app = opened("pages/audit.py", run="tiny", view="log")
    app.text_input(key="verify-hash").input("0" * 63 + "1").run()
    app.button(key="verify-button").click().run()
    assert "no event has the hash" in app.error[0].value


def test_the_report_is_made_and_offered(desk: ReviewDesk) -> None:
    app = opened("pages/audit.py", run="tiny")
    app.checkbox(key="report-reviewed").check().run()
    app.button(key="report-make").click().run()
    assert not app.exception
    (download,) = app.get("download_button")
    assert "2 neurons" in download.proto.label
