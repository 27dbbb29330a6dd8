"""Reviews of a run: what pages call, agreement, import and export."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from csp.errors import BadInputError, NotFoundError
from csp.keeping.reviews.event import SAW_NONE, Entry, new_token
from csp.keeping.reviews.exchange import read_rows, write_rows
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews, open_reviews
from csp.keeping.reviews.vocabulary import Action, Role
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import FIRST
from csp.work.reviews.agreement import agreement, conflicts
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.exchange import Imported, export_reviews, import_reviews

ANN, BO, CY = (Person(name=name) for name in ("Ann", "Bo", "Cy"))


@pytest.fixture
def desk(tiny_run: Run) -> Iterator[ReviewDesk]:
    with open_reviews() as reviews:
        yield ReviewDesk(tiny_run, reviews)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Reviews]:
    """The record of another machine."""
    with Reviews(Location(path=tmp_path / "other" / "reviews.sqlite")) as reviews:
        yield reviews


def said(verdict: Action, label: str | None = None, neuron: int = 0, **given: Any) -> Entry:
    return Entry(**({"layer": "late", "neuron": neuron, "verdict": verdict, "label": label} | given))


def fill(desk: ReviewDesk) -> None:
    """Five neurons by two reviewers, some by a third; one undone, one resolved, one draft, one flag."""
    for neuron in range(5):
        desk.record(ANN, said(Action.CONFIRM, neuron=neuron if neuron != 2 else 4, seen=SAW_NONE))
    desk.record(BO, said(Action.CONFIRM, neuron=0, tags=("abcde:border", "other")))
    desk.record(
        BO, said(Action.OVERRIDE, "=2+3 🩺\u202e", neuron=1, reason="looks\nodd", blind=True, gamma=0.5)
    )
    desk.record(BO, said(Action.REJECT, neuron=3))
    event = desk.record(CY, said(Action.UNSURE, neuron=3)).event
    desk.undo(CY, event, token=new_token())
    desk.record(CY, said(Action.RESOLVE, "ruler marks", neuron=3))
    desk.record(CY, said(Action.DRAFT, "hm", neuron=5))
    desk.record(ANN, said(Action.FLAG, neuron=0, reason="again"))


def test_a_verdict_notes_what_was_on_screen(desk: ReviewDesk) -> None:
    machine = desk.run.labels("late").query("neuron == 1 and labeler == @FIRST and rank == 1")["label"].item()
    event = desk.record(Person(name="Ann", verified=True), said(Action.CONFIRM, neuron=1)).event
    assert (event.label, event.machine_label, event.label_before) == (machine,) * 3
    assert (event.labeler, event.gamma, event.examples, event.contrast) == (FIRST, 1.0, 5, "mean")
    assert event.app_version
    assert event.reviewer_verified
    state = desk.neuron("late", 1)
    assert (state.label, state.source, state.seen) == (machine, "person", event.token)
    answer = desk.record(BO, said(Action.OVERRIDE, "hairs", neuron=1, seen=SAW_NONE))
    assert answer.missed == (event,)
    assert desk.neuron("late", 1).machine_label == machine
    desk.undo(BO, answer.event, token=new_token())
    assert desk.neuron("late", 1).label == machine


def test_what_the_run_does_not_have_is_refused(desk: ReviewDesk) -> None:
    for wrong in ({"neuron": 6}, {"neuron": -1}, {"layer": "middle"}):
        with pytest.raises(NotFoundError, match=r"has no (neuron|layer)"):
            desk.record(ANN, said(Action.CONFIRM, **wrong))
    with pytest.raises(BadInputError, match="Ann may only look"):
        desk.record(Person(name="Ann", role=Role.VIEWER), said(Action.CONFIRM))
    assert desk.events() == []


def test_the_overview_has_a_row_for_each_reviewed_neuron(desk: ReviewDesk) -> None:
    assert list(desk.overview().columns)[:4] == ["layer", "neuron", "verdict", "label"]
    fill(desk)
    table = desk.overview().set_index("neuron")
    assert table["disputed"].to_dict() == {0: False, 1: True, 4: False, 3: False, 5: False}
    assert table.loc[3, ["label", "verdict", "source", "resolved"]].tolist() == [
        "ruler marks",
        "resolve",
        "person",
        True,
    ]
    assert table.loc[0, "tags"] == ["abcde:border", "other"]
    assert table.loc[0, "second_look"]
    assert table.loc[5, "drafts"] == ["Cy"]
    assert set(desk.reviewed("late")) == {0, 1, 3, 4, 5}
    assert desk.reviewed("early") == {}
    assert [event.neuron for event in desk.recent(BO)] == [3, 1, 0]
    assert desk.recent(CY) == [], "the undone one is not listed"


def test_two_people_claim_different_neurons(desk: ReviewDesk) -> None:
    queue = [("late", 3), ("late", 1)]
    assert (desk.claim(ANN, queue), desk.claim(BO, queue), desk.claim(CY, queue)) == (*queue, None)


def test_agreement_and_conflicts(desk: ReviewDesk) -> None:
    nothing = agreement(desk.states())
    assert (nothing["reviewers"], nothing["pairs"], nothing["fleiss"]) == ([], [], None)
    for neuron, (ann, bo) in enumerate(
        [(Action.CONFIRM,) * 2, (Action.REJECT,) * 2, (Action.CONFIRM, Action.REJECT)]
    ):
        desk.record(ANN, said(ann, "ruler" if ann is Action.CONFIRM else None, neuron=neuron))
        desk.record(BO, said(bo, "ruler" if bo is Action.CONFIRM else None, neuron=neuron))
    found = agreement(desk.states())
    assert found["pairs"] == [
        {
            "left": "Ann",
            "right": "Bo",
            "kappa": pytest.approx(0.4),
            "observed": pytest.approx(2 / 3),
            "expected": pytest.approx(4 / 9),
            "n": 3,
        }
    ]
    assert (found["neurons"], found["conflicts"], found["fleiss"]) == (3, 1, None)
    (conflict,) = conflicts(desk.states())
    assert (conflict["neuron"], [one["label"] for one in conflict["verdicts"]]) == (2, ["ruler", None])
    desk.record(CY, said(Action.RESOLVE, "ruler", neuron=2))
    desk.record(CY, said(Action.UNSURE, neuron=0))
    assert conflicts(desk.states()) == []
    assert agreement(desk.states())["fleiss"]["n"] == 3


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_an_empty_record_takes_over_a_whole_chain(
    desk: ReviewDesk, other: Reviews, tmp_path: Path, ending: str
) -> None:
    fill(desk)
    path = tmp_path / f"all.{ending}"
    assert export_reviews(desk.reviews, path) == len(desk.events()) == 13
    assert import_reviews(other, path) == Imported(13, 0, (), True)
    assert other.events() == desk.events()
    assert other.verify(expect=desk.events()[-1].hash).ok
    assert import_reviews(other, path) == Imported(0, 13, (), False)
    again = tmp_path / f"again.{ending}"
    export_reviews(other, again)
    assert again.read_bytes() == path.read_bytes()


def test_records_merge_without_duplicates(desk: ReviewDesk, other: Reviews, tmp_path: Path) -> None:
    there = ReviewDesk(desk.run, other)
    there.record(Person(name="Di", verified=True), said(Action.OVERRIDE, "hairs", neuron=1, gamma=0.25))
    fill(desk)
    path = tmp_path / "mine.json"
    export_reviews(desk.reviews, path, desk.run)
    assert import_reviews(other, path) == Imported(13, 0, (), False)
    assert import_reviews(other, path) == Imported(0, 13, (), False)
    assert other.verify().ok
    before, after = desk.events(), other.events()[1:]
    for name in ("place", "verdict", "label", "label_before", "machine_label", "who", "reason", "tags", "at"):
        assert [getattr(event, name) for event in after] == [getattr(event, name) for event in before], name
    assert there.neuron("late", 3).label == "ruler marks"
    export_reviews(other, path)
    assert import_reviews(desk.reviews, path, desk.run) == Imported(1, 13, (), False)
    (di,) = [event for event in desk.events() if event.reviewer == "Di"]
    assert not di.reviewer_verified, "an imported name counts as typed"
    assert '"verified":true' in str(di.imported)


def test_rows_written_by_hand(desk: ReviewDesk, tmp_path: Path) -> None:
    path = tmp_path / "by-hand.csv"
    path.write_text(
        "run,layer,neuron,verdict,label,reviewer,reason\n"
        "tiny,late,0,confirm,,Ann,\n"
        "tiny,late,1,override,hairs,Ann,seen it\n"
        "tiny,late,0,confirm,,Ann,\n"
        "tiny,early,1,reject,,Ann,\n"
    )
    assert import_reviews(desk.reviews, path) == Imported(3, 1, (), False)
    assert import_reviews(desk.reviews, path, desk.run) == Imported(0, 4, (), False)
    assert desk.neuron("late", 0).label == desk.machine_label("late", 0)
    desk.record(BO, said(Action.REJECT, neuron=4))
    path.write_text("run,layer,neuron,verdict,reviewer\ntiny,late,4,reject,Bo\n")
    assert import_reviews(desk.reviews, path) == Imported(0, 1, (), False), "recorded here already"


def test_bad_rows_are_refused_one_by_one(desk: ReviewDesk, tmp_path: Path) -> None:
    good = {"run": "tiny", "layer": "late", "neuron": "1", "verdict": "reject", "reviewer": "Ann"}
    token = desk.record(BO, said(Action.REJECT, neuron=3)).event.token
    rows = [
        good,
        good | {"run": "demo2"},
        good | {"run_fingerprint": "0" * 64},
        good | {"layer": "middle"},
        good | {"layer": ""},
        good | {"neuron": "6"},
        good | {"neuron": "one"},
        good | {"verdict": "adore"},
        good | {"verdict": "override"},
        good | {"label": "x" * 10_000},
        good | {"reviewer": ""},
        good | {"token": token},
        good | {"verdict": "undo", "undoes": token, "neuron": "3"},
        good | {"run": ""},
        good | {"role": "viewer", "reason": "x"},
        good | {"neuron": "2"},
    ]
    path = tmp_path / "mixed.json"
    path.write_text(json.dumps(rows))
    done = import_reviews(desk.reviews, path)
    expected = {
        2: "no run is called 'demo2'",
        3: "it is for another run: tiny has the fingerprint",
        4: "has no layer 'middle'",
        5: "it names no layer, and the run has early, late",
        6: "layer 'late' has no neuron 6",
        7: "'one' is no whole number",
        8: "there is no verdict 'adore'",
        9: "an override needs a label",
        10: "the label has 10,000 characters",
        11: "reviewer is empty",
        12: "this was recorded already as event 1",
        13: "is by Bo: only they or an admin can undo it",
        14: "it names no run",
        15: "Ann may only look",
    }
    refused = dict(done.refused)
    assert list(refused) == list(expected)
    for number, part in expected.items():
        assert part in refused[number]
    assert (done.added, done.known, done.restored) == (2, 0, False)
    assert len(desk.events()) == 3
    path.write_text(json.dumps([good | {"run": "elsewhere"}]))
    assert (
        "it is for the run 'elsewhere', not tiny"
        in import_reviews(desk.reviews, path, desk.run).refused[0][1]
    )


def test_a_chain_that_was_changed_is_not_taken_over_as_it_is(
    desk: ReviewDesk, other: Reviews, tmp_path: Path
) -> None:
    fill(desk)
    path = tmp_path / "all.json"
    export_reviews(desk.reviews, path)
    rows = read_rows(path)
    write_rows(path, [rows[0] | {"reason": "changed"}, *rows[1:]])
    assert import_reviews(other, path) == Imported(13, 0, (), False)
    assert other.verify().ok
    assert all(event.imported for event in other.events())


def test_a_run_that_was_renamed_is_found_by_its_fingerprint(
    desk: ReviewDesk, other: Reviews, tmp_path: Path
) -> None:
    fill(desk)
    path = tmp_path / "all.csv"
    export_reviews(desk.reviews, path)
    desk.run.path.rename(desk.run.path.with_name("renamed"))
    assert import_reviews(other, path).restored
