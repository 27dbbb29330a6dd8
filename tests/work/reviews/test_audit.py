"""The audit of a run: coverage, what was overruled, criteria, disputes, the chain."""

from typing import Any

from csp.keeping.reviews.event import Entry, new_token
from csp.keeping.reviews.vocabulary import Action
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.audit import Audit, audit_of
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.label_in_force import labels_in_force

ANN, BO, CY = (Person(name=name) for name in ("Ann", "Bo", "Cy"))


def said(verdict: Action, neuron: int, label: str | None = None, **given: Any) -> Entry:
    return Entry(layer="late", neuron=neuron, verdict=verdict, label=label, **given)


def criterion(audit: Audit, tag: str) -> tuple[int, int, int]:
    """Labelled, checked, tagged."""
    row = next(row for row in audit.criteria if row.tag == tag)
    return len(row.labelled), row.checked, len(row.tagged)


def test_nothing_reviewed_is_an_audit_too(explorer: Explorer, desk: ReviewDesk) -> None:
    audit = audit_of(explorer, desk)
    late = audit.coverage["late"]
    assert (late.checked, late.unsure, late.disputed, late.second_look) == (0, 0, 0, 0)
    assert late.neurons == explorer.run.layer("late").neurons
    assert audit.sample.error.n == audit.overruled == audit.decided == audit.events == 0
    assert audit.finding.ok
    assert audit.disputes == ()


def test_it_counts_what_people_decided(explorer: Explorer, desk: ReviewDesk) -> None:
    desk.record(ANN, said(Action.CONFIRM, 0))
    desk.record(BO, said(Action.OVERRIDE, 1, "blue-white veil", tags=("7-point:blue-white-veil",)))
    desk.record(ANN, said(Action.REJECT, 2))
    desk.record(BO, said(Action.OVERRIDE, 2, "regression structures"))
    desk.record(CY, said(Action.UNSURE, 3, tags=("abcde:border",)))
    desk.record(CY, said(Action.FLAG, 4))
    audit = audit_of(explorer, desk)
    late = audit.coverage["late"]
    assert (late.checked, late.unsure, late.disputed, late.second_look) == (3, 1, 1, 1)
    assert audit.decisions == {"confirm": 1, "override": 2}
    assert (audit.decided, audit.overruled) == (3, 2)
    assert criterion(audit, "7-point:blue-white-veil") == (1, 1, 1)
    assert criterion(audit, "7-point:regression") == (1, 1, 0)
    assert criterion(audit, "abcde:border")[2] == 1
    assert [row["neuron"] for row in audit.disputes] == [2]
    assert audit.events == 6


def test_what_was_taken_back_no_longer_counts(explorer: Explorer, desk: ReviewDesk) -> None:
    event = desk.record(
        ANN, said(Action.OVERRIDE, 1, "blue-white veil", tags=("7-point:blue-white-veil",))
    ).event
    desk.undo(ANN, event, token=new_token())
    audit = audit_of(explorer, desk)
    assert (audit.decided, audit.coverage["late"].checked, audit.events) == (0, 0, 2)
    assert criterion(audit, "7-point:blue-white-veil") == (0, 0, 0)


def test_a_persons_label_is_in_force_and_a_reject_leaves_none(explorer: Explorer, desk: ReviewDesk) -> None:
    machine = {neuron: one.text for neuron, one in labels_in_force(explorer, "late", {}).items()}
    desk.record(ANN, said(Action.OVERRIDE, 1, "my words"))
    desk.record(ANN, said(Action.REJECT, 2))
    desk.record(ANN, said(Action.UNSURE, 3))
    found = labels_in_force(explorer, "late", desk.reviewed("late"))
    labels = {neuron: one.text for neuron, one in found.items()}
    assert (labels[1], labels[2], labels[3]) == ("my words", None, machine[3])
    assert {neuron for neuron in labels if labels[neuron] != machine[neuron]} == {1, 2}
