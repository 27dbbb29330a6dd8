"""What stands in which queue, and what is left to do there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from csp.errors import BadInputError
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import Reviews, open_reviews
from csp.keeping.reviews.vocabulary import Action, Role
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import CHANCES
from csp.work.labels.stored import StoredLabels
from csp.work.neurons.review_queues import QueueFacts, queue, to_do
from csp.work.neurons.rows import doubted_under, machine_rows, with_reviews
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.live_states import LiveStates

ANN, BO, CY = (Person(name=name) for name in ("Ann", "Bo", "Cy"))
NEVER = 2


@pytest.fixture
def reviews() -> Iterator[Reviews]:
    with open_reviews() as reviews:
        yield reviews


@pytest.fixture
def desk(tiny_run: Run, reviews: Reviews) -> ReviewDesk:
    return ReviewDesk(tiny_run, reviews)


def say(desk: ReviewDesk, person: Person, act: Action, neuron: int, **given: Any) -> str:
    return desk.record(person, Entry(layer="late", neuron=neuron, verdict=act, **given)).event.token


def facts(desk: ReviewDesk) -> QueueFacts:
    explorer = Explorer(desk.run, ResultCache(result_cache_folder()))
    reviewed = desk.reviewed("late")
    rows = with_reviews(machine_rows(explorer, "late"), reviewed)
    return QueueFacts(rows, reviewed)


def neurons(desk: ReviewDesk, name: str, person: Person = ANN, todo: str = "all") -> list[int]:
    known = facts(desk)
    return [item.neuron for item in to_do(queue(name, known, person), known.reviewed, person, todo)]


def test_the_most_doubtful_neuron_comes_first_with_its_reasons(desk: ReviewDesk) -> None:
    firsts = StoredLabels(desk.run).first_labels("late")
    chances = [0.9, 0.1, 0.6, 0.3, 0.45, 0.8]
    rows = [("late", neuron, label, chances[neuron]) for neuron, label in firsts.items()]
    Additions(desk.run).append(CHANCES, pd.DataFrame(rows, columns=["layer", "neuron", "label", "chance"]))
    known = facts(desk)
    items = queue("doubtful", known, ANN)
    frame = known.rows.frame.set_index("neuron")
    doubt = [frame["doubt"][item.neuron] for item in items]
    assert doubt == sorted(doubt, reverse=True)
    assert [item.neuron for item in items] == [1, 3, 4]
    assert items[0].why[0] == "unlikely: 1 in 10"
    strict = replace(known, rows=doubted_under(known.rows, 0.7))
    assert [item.neuron for item in queue("doubtful", strict, ANN)] == [1, 3, 4, 2]


def test_the_random_sample_holds_the_labelled_neurons_whatever_was_judged(desk: ReviewDesk) -> None:
    before = neurons(desk, "random-sample")
    assert sorted(before) == [0, 1, 2, 3, 4, 5] != before
    say(desk, ANN, Action.REJECT, before[1])
    assert neurons(desk, "random-sample") == before
    assert neurons(desk, "random-sample", todo="open") == [before[0], *before[2:]]


def test_artefact_suspects_follow_the_label_in_force(desk: ReviewDesk) -> None:
    before = neurons(desk, "artefacts")
    assert before, "the tiny run has a ruler and a hair neuron"
    say(desk, BO, Action.OVERRIDE, before[0], label="a mole")
    say(desk, BO, Action.OVERRIDE, NEVER, label="ruler marks")
    after = neurons(desk, "artefacts")
    assert before[0] not in after
    assert NEVER in after


def test_what_is_left_depends_on_who_asks(desk: ReviewDesk) -> None:
    say(desk, BO, Action.CONFIRM, 0)
    assert neurons(desk, "all", ANN, "open") == [1, 2, 3, 4, 5]
    assert neurons(desk, "all", ANN, "mine") == [0, 1, 2, 3, 4, 5]
    assert neurons(desk, "all", BO, "mine") == [1, 2, 3, 4, 5]


def test_disputes_flags_and_drafts_have_their_queues(desk: ReviewDesk) -> None:
    say(desk, ANN, Action.CONFIRM, 0)
    say(desk, BO, Action.REJECT, 0)
    say(desk, ANN, Action.FLAG, 3, reason="odd")
    say(desk, ANN, Action.DRAFT, 4, label="hm")
    assert neurons(desk, "disagreements", CY, "mine") == [0]
    assert neurons(desk, "disagreements", ANN, "mine") == []
    assert queue("second-look", facts(desk), BO)[0].why == ("Ann asks for a second look: odd",)
    assert neurons(desk, "drafts", ANN) == [4]
    assert neurons(desk, "drafts", BO) == []
    say(desk, CY, Action.RESOLVE, 0, label="ruler marks")
    say(desk, BO, Action.CONFIRM, 3)
    assert neurons(desk, "disagreements", CY) == []
    assert neurons(desk, "second-look", BO) == []


def test_an_unknown_queue_names_those_there_are(desk: ReviewDesk) -> None:
    with pytest.raises(BadInputError, match="no queue 'hard'; there are doubtful, random-sample, artefacts"):
        queue("hard", facts(desk), ANN)


def test_a_viewer_can_neither_decide_nor_take_a_neuron(desk: ReviewDesk, reviews: Reviews) -> None:
    viewer = Person(name="Vi", verified=True, role=Role.VIEWER)
    for act in Action:
        with pytest.raises(BadInputError, match="Vi may only look"):
            say(desk, viewer, act, 0, label="ruler marks", undoes="x")
    with pytest.raises(BadInputError, match="role of reviewer to take a neuron"):
        desk.claim(viewer, [("late", 0)])
    sent = Entry(layer="late", neuron=0, verdict=Action.CONFIRM)
    reviewer = Person(name="Vi", verified=True)
    desk.record(reviewer, sent)
    with pytest.raises(BadInputError, match="Vi may only look"):
        desk.record(viewer, sent)
    assert len(reviews.events()) == 1


def test_states_follow_the_record_without_reading_it_again(desk: ReviewDesk, reviews: Reviews) -> None:
    standing = LiveStates(desk)
    assert standing.states() == {}
    say(desk, ANN, Action.CONFIRM, 0)
    first = standing.states()
    assert standing.states() is first, "nothing new, nothing read"
    flag = say(desk, BO, Action.FLAG, 0)
    say(desk, BO, Action.UNDO, 0, undoes=flag)
    say(desk, BO, Action.REJECT, 1)
    assert standing.states() == desk.states()
    assert standing.layer("late") == desk.reviewed("late")
    assert len(first) == 1, "who holds the old states is not disturbed"


def test_states_start_afresh_when_the_record_was_replaced(desk: ReviewDesk, reviews: Reviews) -> None:
    standing = LiveStates(desk)
    for neuron in range(3):
        say(desk, ANN, Action.CONFIRM, neuron)
    assert len(standing.states()) == 3
    reviews.close()
    assert reviews.location.path is not None
    for file in reviews.location.path.parent.glob("reviews.sqlite*"):
        file.unlink()
    assert standing.states() == {}
    other = ReviewDesk(desk.run, Reviews(reviews.location))
    for neuron in range(4):
        say(other, BO, Action.REJECT, neuron)
    assert standing.states() == other.states()
    other.reviews.close()
