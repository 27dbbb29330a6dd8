"""Many neurons judged at once: an event each, nothing on those that can't be judged so."""

import pytest

from csp.errors import BadInputError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action, Role
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.bulk import DISPUTED, MOST, NO_LABEL, OVERTAKEN, Shown, record_all
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.label_in_force import LabelInForce, labels_in_force

ANN, BO = Person(name="Ann"), Person(name="Bo")


def shown(explorer: Explorer, desk: ReviewDesk, neurons: list[int]) -> dict[int, Shown]:
    """The neurons as a page shows them now."""
    reviewed = desk.reviewed("late")
    labels = labels_in_force(explorer, "late", reviewed)
    return {one: Shown(labels[one], reviewed.get(one, NeuronReview())) for one in neurons}


def test_each_verdict_is_an_event_of_its_own(explorer: Explorer, desk: ReviewDesk) -> None:
    neurons = shown(explorer, desk, [0, 1, 3])
    outcome = record_all(
        desk, ANN, "late", neurons, Action.CONFIRM, reason="the same thing", tags=("artefact:ruler",)
    )
    assert (outcome.recorded, outcome.left_out) == (3, {})
    events = desk.events()
    assert [event.neuron for event in events] == [0, 1, 3]
    assert len({event.token for event in events}) == 3
    assert desk.reviews.verify().ok
    for event in events:
        assert event.verdict is Action.CONFIRM
        assert event.label == event.machine_label == neurons[event.neuron].label.machine
        assert event.tags == ("artefact:ruler",)
        assert event.reason == "the same thing (one of 3 neurons judged together)"


def test_what_cannot_be_judged_so_is_left_out_and_counted(explorer: Explorer, desk: ReviewDesk) -> None:
    desk.record(ANN, Entry(layer="late", neuron=1, verdict=Action.REJECT))
    desk.record(BO, Entry(layer="late", neuron=1, verdict=Action.OVERRIDE, label="hairs"))
    neurons = shown(explorer, desk, [0, 1, 3])
    neurons[5] = Shown(LabelInForce(None, None), NeuronReview())
    desk.record(BO, Entry(layer="late", neuron=3, verdict=Action.UNSURE))
    before = len(desk.events())
    outcome = record_all(desk, ANN, "late", neurons, Action.CONFIRM)
    assert outcome.recorded == 1
    assert outcome.left_out == {DISPUTED: 1, NO_LABEL: 1, OVERTAKEN: 1}
    assert len(desk.events()) == before + 1


def test_a_label_of_people_is_given_too_and_flags_queue(explorer: Explorer, desk: ReviewDesk) -> None:
    desk.record(BO, Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label="my own words"))
    record_all(desk, ANN, "late", shown(explorer, desk, [0]), Action.CONFIRM)
    assert desk.neuron("late", 0).label == "my own words"
    assert not desk.neuron("late", 0).disputed
    record_all(desk, ANN, "late", shown(explorer, desk, [0, 1]), Action.FLAG)
    assert all(desk.neuron("late", neuron).second_look for neuron in (0, 1))


def test_what_it_refuses(explorer: Explorer, desk: ReviewDesk) -> None:
    one = shown(explorer, desk, [0])
    with pytest.raises(BadInputError, match="can't be said of many"):
        record_all(desk, ANN, "late", one, Action.OVERRIDE)
    with pytest.raises(BadInputError, match="at once"):
        record_all(desk, ANN, "late", dict.fromkeys(range(MOST + 1), one[0]), Action.UNSURE)
    with pytest.raises(BadInputError, match="only look"):
        record_all(desk, Person(name="Vi", role=Role.VIEWER), "late", one, Action.UNSURE)
    assert not desk.events()
