"""What an auditor asks of a run: how much was checked, by whom, what was overruled, and what is open.

audit = audit_of(explorer, desk)                 # desk: Reviewing(explorer.run, open_reviews())
audit.coverage["layer4"].checked                 # neurons with a decision by a person
audit.sample.error                               # Interval: share of wrong labels, by the random sample
audit.overruled                                  # decided neurons of any queue with another label
audit.criteria                                   # ABCDE and 7-point checklist, one row each
audit.disputes, audit.agreement, audit.finding
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from csp.keeping.reviews.chain import Verification
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import TAGS, Action
from csp.work.control.control import layer_control, unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.agreement import agreement, conflicts
from csp.work.reviews.artefacts import claims, labels_by_chance
from csp.work.reviews.checklist import ARTEFACT, Criteria, criteria, criteria_of
from csp.work.reviews.desk import ReviewDesk, Spot
from csp.work.reviews.label_in_force import labels_in_force
from csp.work.reviews.random_sample import RandomSample, error_rate, overruled


@dataclass(frozen=True)
class Coverage:
    """How far people got with one layer, in neurons."""

    neurons: int
    checked: int
    """With a decision of a person in force."""
    unsure: int
    """Looked at, but nobody could tell."""
    disputed: int
    second_look: int


@dataclass(frozen=True)
class Criterion:
    """One criterion of a clinical checklist, and the neurons that speak of it."""

    tag: str
    words: str
    labelled: tuple[Spot, ...]
    """Neurons whose label in force speaks of it; a machine's that is not claimed speaks of nothing."""
    by_first_label: int
    """By the machine's first labels alone, as far as they are claimed: to be held against the next."""
    by_chance: float | None
    """How many first labels would speak of it, were all of noise; None where that is not known."""
    checked: int
    """Of `labelled` how many a person decided on."""
    tagged: tuple[Spot, ...]
    """Neurons that a person tagged with it."""

    @property
    def group(self) -> str:
        """`abcde`, `7-point` or `skin`."""
        return self.tag.partition(":")[0]


@dataclass(frozen=True)
class Audit:
    """The review of one run at a glance; every number can be worked out again from the record."""

    coverage: Mapping[str, Coverage]
    """By layer."""
    decisions: Mapping[str, int]
    """By verdict: neurons on which it is in force."""
    sample: RandomSample
    """How often the machine's label is wrong: the only numbers that speak of the neurons not looked at."""
    decided: int
    """Neurons with a decision, whichever queue they came from."""
    overruled: int
    """Of these, those whose label in force is not the machine's (override, reject, resolve)."""
    criteria: tuple[Criterion, ...]
    agreement: Mapping[str, Any]
    disputes: tuple[Mapping[str, Any], ...]
    events: int
    finding: Verification
    """Of the whole record, other runs included: it is one chain."""


def audit_of(explorer: Explorer, desk: ReviewDesk) -> Audit:
    """The audit of a run, of a damaged record without any verdict. Raises UnavailableError, BadRunError."""
    finding = desk.reviews.verify()
    states = desk.states() if finding.ok else {}
    decided = {spot: state for spot, state in states.items() if state.deciding is not None}
    return Audit(
        coverage={
            layer.layer: _coverage(layer.neurons, list(_of_layer(states, layer.layer).values()))
            for layer in explorer.run.manifest.layers
        },
        decisions=Counter(str(state.verdict) for state in decided.values()),
        sample=error_rate(
            {layer: explorer.stored_labels.first_labels(layer).keys() for layer in explorer.run.layers},
            states,
        ),
        decided=len(decided),
        overruled=sum(map(overruled, decided.values())),
        criteria=_criteria(explorer, states),
        agreement=agreement(states),
        disputes=tuple(conflicts(states)),
        events=sum(len(state.events) for state in states.values()),
        finding=finding,
    )


def _of_layer(states: Mapping[Spot, NeuronReview], layer: str) -> dict[int, NeuronReview]:
    return {neuron: state for (where, neuron), state in states.items() if where == layer}


def _coverage(neurons: int, states: list[NeuronReview]) -> Coverage:
    return Coverage(
        neurons=neurons,
        checked=sum(state.deciding is not None for state in states),
        unsure=sum(state.verdict is Action.UNSURE for state in states),
        disputed=sum(state.disputed for state in states),
        second_look=sum(state.second_look is not None for state in states),
    )


def _criteria(explorer: Explorer, states: Mapping[Spot, NeuronReview]) -> tuple[Criterion, ...]:
    known = criteria()
    spoken = {
        (layer, neuron): criteria_of(first.text, known)
        for layer in explorer.run.layers
        for neuron, first in labels_in_force(explorer, layer, _of_layer(states, layer)).items()
        if claims(neuron, states.get((layer, neuron), NeuronReview()), unclaimed(explorer, layer))
    }
    tagged = {spot: _tags(state) for spot, state in states.items()}
    layers, rows = explorer.run.layers, []
    first = Counter(
        label
        for layer in layers
        for neuron, label in explorer.stored_labels.first_labels(layer).items()
        if neuron not in unclaimed(explorer, layer)
    )
    for tag in (tag for tag in known if not tag.startswith(ARTEFACT)):
        labelled = tuple(spot for spot, tags in spoken.items() if tag in tags)
        checked = sum(spot in states and states[spot].deciding is not None for spot in labelled)
        by_people = tuple(spot for spot, tags in tagged.items() if tag in tags)
        holds = partial(_speaks, known=known, tag=tag)
        noise = [labels_by_chance(explorer, one, layer_control(explorer, one), holds) for one in layers]
        rows.append(
            Criterion(
                tag,
                TAGS[tag],
                labelled,
                sum(count for label, count in first.items() if holds(label)),
                sum(one.expected for one in noise if one is not None) if any(noise) else None,
                checked,
                by_people,
            )
        )
    return tuple(rows)


def _speaks(label: str, known: Criteria, tag: str) -> bool:
    return tag in criteria_of(label, known)


def _tags(state: NeuronReview) -> set[str]:
    """The tags that stand: of events which were not undone."""
    return {tag for event in state.events if event.token not in state.undone for tag in event.tags}
