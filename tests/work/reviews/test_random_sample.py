"""How often the machine's label is wrong: a random sample alone can tell."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.state import NeuronReview, current
from csp.keeping.reviews.vocabulary import Action
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.audit import audit_of
from csp.work.reviews.desk import Person, ReviewDesk, Spot
from csp.work.reviews.random_sample import SAMPLE, error_rate, random_order
from tests.keeping.entries import entry

LABELLED = {"early": range(200), "late": range(40)}


def judged(spots: dict[Spot, Action]) -> dict[Spot, NeuronReview]:
    """States of neurons whose machine label is `a`."""
    return {spot: _state(act) for spot, act in spots.items()}


def _state(act: Action) -> NeuronReview:
    said = entry(act, "a" if act is Action.CONFIRM else "b", machine_label="a", at=datetime.now(UTC))
    return current([Event(**vars(said), sequence=1, previous_hash="", hash="")])


def first(layer: str, count: int) -> list[Spot]:
    return [(layer, neuron) for neuron in random_order(layer, LABELLED[layer])[:count]]


def test_the_order_is_drawn_by_chance_and_always_the_same() -> None:
    order = random_order("early", range(200))
    assert order == random_order("early", set(range(200)))
    assert len(set(order)) == SAMPLE and set(order) <= set(range(200))
    assert order != sorted(order)
    assert order != random_order("late", range(200))
    assert sorted(random_order("late", [4, 1, 9])) == [1, 4, 9]


def test_neurons_that_were_chosen_for_a_reason_do_not_change_the_rate() -> None:
    sampled = judged(dict.fromkeys(first("early", 20), Action.CONFIRM))
    chosen = {("early", neuron) for neuron in range(200)} - set(first("early", 21))
    doubtful = judged(dict.fromkeys(chosen, Action.OVERRIDE))
    both = error_rate(LABELLED, sampled | doubtful)
    assert both.error == error_rate(LABELLED, sampled).error
    assert (both.error.value, both.error.n) == (0, 20)
    assert 0.05 < both.error.high < 0.25, "twenty right ones do not show that all are"
    assert both.layers["early"].waiting == SAMPLE - 21
    assert both.left_out == ("late",)


def test_unsure_is_neither_right_nor_wrong_and_no_gap() -> None:
    spots = first("late", 4)
    acts = (Action.CONFIRM, Action.UNSURE, Action.OVERRIDE, Action.UNSURE)
    late = error_rate(LABELLED, judged(dict(zip(spots, acts, strict=True)))).layers["late"]
    assert (late.looked_at, late.unsure, late.wrong, late.decided) == (4, 2, 1, 2)
    assert late.error.value == 0.5


def test_layers_count_by_their_size() -> None:
    said = dict.fromkeys(first("early", 10), Action.OVERRIDE) | dict.fromkeys(
        first("late", 40), Action.CONFIRM
    )
    found = error_rate(LABELLED, judged(said))
    assert found.error.value == pytest.approx(200 / 240)
    assert found.layers["late"].error.low == found.layers["late"].error.high == 0, "all were looked at"


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    acts = [Action.OVERRIDE if rng.random() < share else Action.CONFIRM for _ in range(50)]
    spots = first("early", int(rng.integers(0, 30))) + first("late", int(rng.integers(1, 20)))
    error = error_rate(LABELLED, judged(dict(zip(spots, acts, strict=False)))).error
    assert 0 <= error.low <= error.value <= error.high <= 1


def test_the_audit_of_a_run_has_it(explorer: Explorer, desk: ReviewDesk) -> None:
    labelled = explorer.stored_labels.first_labels("late")
    order = random_order("late", labelled)
    for neuron, act in zip(order, (Action.CONFIRM, Action.REJECT), strict=False):
        desk.record(Person(name="Ann"), Entry(layer="late", neuron=neuron, verdict=act))
    sample = audit_of(explorer, desk).sample
    assert (sample.layers["late"].looked_at, sample.error.n, sample.error.value) == (2, 2, 0.5)
