"""Verdicts to files and back, on the review page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.exchange import export_reviews
from tests.face.pages.test_pages import opened, said

HEAD = "run,layer,neuron,verdict,label,reviewer,reason\n"
ROW = "tiny,late,0,override,ruler <b>marks</b>,Ann,seen in each\n"


def events() -> list[Event]:
    with open_reviews() as reviews:
        return list(reviews.events())


def imported(name: str, content: bytes) -> AppTest:
    """The review page after somebody gave it this file and pressed Import."""
    app = opened("pages/review.py", run="tiny", layer="late")
    app.file_uploader(key="import-file").upload(name, content, "application/octet-stream").run()
    app.button(key="import").click().run()
    assert not app.exception
    return app


def test_a_file_is_imported_once(tiny_run: Run) -> None:
    app = imported("verdicts.csv", (HEAD + ROW).encode())
    assert [found.value for found in app.success] == ["1 added, 0 known already."]
    (event,) = events()
    assert (event.neuron, event.label, event.reviewer, event.reviewer_verified) == (
        0,
        "ruler <b>marks</b>",
        "Ann",
        False,
    )
    again = imported("verdicts.csv", (HEAD + ROW).encode())
    assert [found.value for found in again.success] == ["0 added, 1 known already."]
    assert len(events()) == 1


def test_a_row_that_can_not_be_right_is_named_and_the_others_stay(tiny_run: Run) -> None:
    wrong = "tiny,late,99,confirm,,Ann,\ntiny,late,1,perhaps,,Ann,\n"
    app = imported("verdicts.csv", (HEAD + wrong + ROW).encode())
    assert [found.value for found in app.success] == ["1 added, 0 known already, 2 refused."]
    words = said(app)
    assert "Row 1" in words and "99" in words
    assert "Row 2" in words and "perhaps" in words
    assert len(events()) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("verdicts.csv", b"neuron,verdict\n0,confirm\n", "reviewer"),
        ("verdicts.json", b"{", "JSON"),
        ("verdicts.parquet", b"no table", "Parquet"),
        ("verdicts.csv", b"\xff\xfe\x00\x01", "verdicts"),
    ],
)
def test_a_file_that_is_none_imports_nothing(tiny_run: Run, name: str, content: bytes, words: str) -> None:
    app = imported(name, content)
    (error,) = app.error
    assert error.value.startswith("Nothing was imported:")
    assert words.casefold() in error.value.replace("\\", "").casefold()
    assert events() == []


def test_what_is_exported_can_be_imported_elsewhere(tiny_run: Run, tmp_path: Path) -> None:
    with open_reviews() as reviews:
        ReviewDesk(tiny_run, reviews).record(
            Person(name="Ann"),
            Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label="ink", reason="blue"),
        )
        for kind in ("csv", "json", "parquet"):
            export_reviews(reviews, tmp_path / f"reviews.{kind}", tiny_run, kind)
    for kind in ("csv", "json", "parquet"):
        app = imported(f"reviews.{kind}", (tmp_path / f"reviews.{kind}").read_bytes())
        assert [found.value for found in app.success] == ["0 added, 1 known already."], kind


def test_every_format_is_offered(tiny_run: Run) -> None:
    app = opened("pages/review.py", run="tiny", layer="late")
    labels = [button.proto.label for button in app.get("download_button")]  # type: ignore[union-attr]
    assert {"CSV", "JSON", "Parquet"} <= set(labels)
