"""The label in force: a person's where one decided, else the machine's; and both sides of a dispute."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.keeping.reviews.event import Entry, new_token
from csp.keeping.reviews.normalise import label_parts, same_label, together
from csp.keeping.reviews.vocabulary import Action
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.label_in_force import label_in_force, put_people_first

ANN, BO, CY = Person(name="Ann", verified=True), Person(name="Bo"), Person(name="Cy")


def say(desk: ReviewDesk, who: Person, verdict: Action, label: str | None = None) -> None:
    desk.record(who, Entry(layer="late", neuron=0, verdict=verdict, label=label))


@pytest.mark.parametrize("nothing", [None, float("nan"), np.nan])
def test_without_a_decision_it_is_the_machines(desk: ReviewDesk, nothing: Any) -> None:
    assert label_in_force("ruler", None).lines == ("ruler", "the machine suggests")
    assert label_in_force(nothing, None).lines == ("no label", "")
    say(desk, ANN, Action.UNSURE)
    assert label_in_force("ruler", desk.neuron("late", 0)).lines == ("ruler", "the machine suggests")


def test_a_persons_comes_first_and_the_machines_below(desk: ReviewDesk) -> None:
    say(desk, ANN, Action.OVERRIDE, "ink")
    first = label_in_force("ruler", desk.neuron("late", 0))
    assert (first.text, first.machine, first.by) == ("ink", "ruler", "Ann")
    assert first.lines == ("ink", "written by Ann; the machine suggests ruler")
    assert label_in_force("Ink ", desk.neuron("late", 0)).suggested is None
    say(desk, ANN, Action.REJECT)
    assert label_in_force(None, desk.neuron("late", 0)).lines == ("no label fits", "said by Ann")


def test_in_a_dispute_both_sides_are_said_until_someone_settles_it(desk: ReviewDesk) -> None:
    say(desk, ANN, Action.OVERRIDE, "ink")
    say(desk, BO, Action.REJECT)
    first = label_in_force("ruler", desk.neuron("late", 0))
    assert first.sides == (("Ann", "ink"), ("Bo (name not checked)", None))
    assert (first.shown, first.words) == ("ink or no label fits", "people disagree")
    say(desk, CY, Action.RESOLVE, "hairs")
    settled = label_in_force("ruler", desk.neuron("late", 0))
    assert (settled.shown, settled.words, settled.sides) == ("hairs", "settled by Cy (name not checked)", ())


def test_what_was_taken_back_is_the_machines_again(desk: ReviewDesk) -> None:
    event = desk.record(ANN, Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label="ink")).event
    desk.undo(ANN, event, token=new_token())
    assert label_in_force("hairs", desk.neuron("late", 0)).by is None


def test_two_labels_are_each_a_label(desk: ReviewDesk) -> None:
    say(desk, ANN, Action.OVERRIDE, "ruler marks; hairs")
    first = label_in_force("ruler", desk.neuron("late", 0))
    assert (first.shown, first.texts) == ("ruler marks; hairs", ("ruler marks", "hairs"))
    say(desk, BO, Action.OVERRIDE, "Hairs;ruler marks")
    assert not desk.neuron("late", 0).disputed
    listed = [{"label": "hairs", "score": 0.3}, {"label": "ink", "score": 0.2}]
    (row,) = put_people_first([{"layer": "late", "neuron": 0, "labels": listed}], desk, 5)
    assert [one["label"] for one in row["labels"]] == ["Hairs", "ruler marks", "ink"]
    assert [one["score"] for one in row["labels"]] == [0.3, None, 0.2]


@given(st.lists(st.text("aB é", min_size=1).filter(str.strip), max_size=4), st.randoms(use_true_random=False))
def test_several_labels_compare_without_order_case_or_spacing(texts: list[str], random: Any) -> None:
    other = [f" {text.upper()}" for text in texts]
    random.shuffle(other)
    assert same_label(" ; ".join(texts)) == same_label(";".join(other))
    assert len(label_parts("; ".join(texts))) == len({same_label(text) for text in texts})


def test_several_labels_of_the_machine_are_confirmed_as_it_meant_them(desk: ReviewDesk) -> None:
    machine = ("hair; dark", "blue-white veil")
    assert label_in_force(machine, None).shown == "hair; dark, also blue-white veil"
    said = label_in_force(machine, None).text
    say(desk, ANN, Action.OVERRIDE, said)
    first = label_in_force(machine, desk.neuron("late", 0))
    assert (first.texts, first.suggested) == (machine, None)
    assert label_in_force("another", desk.neuron("late", 0)).texts == machine, (
        "read without the machine's too"
    )
    assert label_in_force(("hair; dark",), None).texts == ("hair; dark",)


def test_a_label_that_ends_with_a_backslash_stays_apart_from_the_next() -> None:
    labels = ("a\\", "b;c\\", "d")
    assert label_parts(together(labels)) == labels


@pytest.mark.parametrize("text", [";", " ; ;"])
def test_nothing_but_semicolons_is_no_verdict_and_in_old_records_not_taken_for_none(
    desk: ReviewDesk, text: str
) -> None:
    with pytest.raises(BadInputError, match="holds no word"):
        say(desk, ANN, Action.OVERRIDE, text)
    assert label_parts(text) == (text.strip(),)
    assert same_label(text) != same_label(None)


def test_a_label_with_a_semicolon_that_is_confirmed_stays_one_in_lists(desk: ReviewDesk) -> None:
    machine = "ruler; hairs"
    desk.record(ANN, Entry(layer="late", neuron=0, verdict=Action.CONFIRM, machine_label=machine))
    listed = [{"label": machine, "score": 0.3}, {"label": "ink", "score": 0.2}]
    (row,) = put_people_first([{"layer": "late", "neuron": 0, "labels": listed}], desk, 5)
    assert row["labels"] == listed
