"""Where a neuron stands after its events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from csp.keeping.reviews.chain import Head, seal
from csp.keeping.reviews.event import SAW_NONE, Entry, Event, Reviewer
from csp.keeping.reviews.state import by_neuron, current
from csp.keeping.reviews.vocabulary import Action
from tests.keeping.entries import entry

START = datetime(2030, 1, 1, tzinfo=UTC)
ANN, BO, CY = (Reviewer(name, False) for name in ("Ann", "Bo", "Cy"))


def chained(*entries: Entry) -> list[Event]:
    events: list[Event] = []
    for minute, one in enumerate(entries):
        head = Head(events[-1].sequence, events[-1].hash) if events else Head()
        events.append(seal(one, head, START + timedelta(minutes=minute), None))
    return events


def label_and_dispute(events: Sequence[Event]) -> tuple[str | None, bool]:
    state = current(events)
    return state.label, state.disputed


def test_nothing_said_leaves_the_machine() -> None:
    state = current([])
    assert (state.label, state.source, state.verdict, state.seen) == (None, "machine", None, SAW_NONE)


def test_unsure_draft_and_flag_decide_nothing() -> None:
    events = chained(
        entry(Action.UNSURE, None), entry(Action.DRAFT, "hm", reviewer="Bo"), entry(Action.FLAG, None)
    )
    state = current(events)
    assert (state.label, state.source, state.verdict) == ("ruler", "machine", Action.UNSURE)
    assert state.second_look == events[2]
    assert state.drafts == {BO: events[1]}
    assert state.seen == events[2].token


def test_the_latest_verdict_of_each_person_counts() -> None:
    events = chained(
        entry(), entry(Action.OVERRIDE, "hairs"), entry(Action.OVERRIDE, " Hairs  ", reviewer="Bo")
    )
    state = current(events)
    assert state.verdicts == {ANN: events[1], BO: events[2]}
    assert (state.label, state.machine_label, state.disputed) == (" Hairs  ", "ruler", False)
    assert state.deciding == events[2]


def test_people_who_differ_are_in_dispute_until_they_agree() -> None:
    events = chained(
        entry(), entry(Action.REJECT, None, reviewer="Bo"), entry(Action.UNSURE, None, reviewer="Bo"), entry()
    )
    assert [label_and_dispute(events[:count]) for count in range(1, 5)] == [
        ("ruler", False),
        (None, True),
        ("ruler", False),
        ("ruler", False),
    ]


def test_a_resolution_stands_until_someone_differs_from_it() -> None:
    events = chained(
        entry(),
        entry(Action.OVERRIDE, "hairs", reviewer="Bo"),
        entry(Action.RESOLVE, "hairs", reviewer="Cy"),
        entry(Action.CONFIRM, "hairs", reviewer="Ann"),
        entry(Action.REJECT, None, reviewer="Ann"),
    )
    assert [label_and_dispute(events[:count]) for count in range(2, 6)] == [
        ("hairs", True),
        ("hairs", False),
        ("hairs", False),
        (None, True),
    ]
    assert current(events).resolution == events[2]


def test_undo_goes_back_one_step_at_a_time() -> None:
    first, second = entry(), entry(Action.OVERRIDE, "hairs")
    undo = entry(Action.UNDO, None, undoes=second.token)
    redo = entry(Action.UNDO, None, undoes=undo.token)
    events = chained(first, second, undo, redo, entry(Action.UNDO, None, undoes=redo.token))
    assert [current(events[:count]).label for count in range(1, 6)] == [
        "ruler",
        "hairs",
        "ruler",
        "hairs",
        "ruler",
    ]
    assert len(current(events).events) == 5
    everything = chained(first, entry(Action.UNDO, None, undoes=first.token))
    assert current(everything).source == "machine"
    assert current(everything).undone == {first.token}


def test_a_second_look_is_done_by_someone_else() -> None:
    flag = entry(Action.FLAG, None, reason="ruler or ink?")
    events = chained(flag, entry(), entry(Action.DRAFT, "x", reviewer="Bo"), entry(reviewer="Bo"))
    assert [current(events[:count]).second_look is None for count in range(1, 5)] == [
        False,
        False,
        False,
        True,
    ]
    assert current(chained(flag, entry(Action.UNDO, None, undoes=flag.token))).second_look is None


def test_a_draft_lasts_until_its_author_decides() -> None:
    events = chained(entry(Action.DRAFT, "a"), entry(Action.DRAFT, "b"), entry(reviewer="Bo"), entry())
    assert [current(events[:count]).drafts.get(ANN) for count in range(2, 5)] == [events[1], events[1], None]


def test_a_verified_name_and_a_typed_one_are_two_people() -> None:
    events = chained(entry(), entry(Action.REJECT, None, reviewer_verified=True))
    assert len(current(events).verdicts) == 2
    assert current(events).disputed


def test_an_older_imported_verdict_replaces_no_newer_one() -> None:
    old = entry(Action.REJECT, None, imported="{}", at=START - timedelta(days=1))
    state = current(chained(entry(), old))
    assert (state.label, len(state.events)) == ("ruler", 2)
    assert current(chained(entry(), replace(old, at=START + timedelta(days=1)))).label is None
    assert current(chained(entry(), replace(old, imported=None))).label is None


def test_events_fall_into_neurons() -> None:
    events = chained(entry(neuron=2), entry(neuron=1), entry(Action.REJECT, None, neuron=2, layer="early"))
    states = by_neuron(events)
    assert [(place.layer, place.neuron) for place in states] == [("late", 2), ("late", 1), ("early", 2)]
    assert [state.label for state in states.values()] == ["ruler", "ruler", None]
