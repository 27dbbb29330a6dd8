"""What stands on the first pages of the report: what the classifier leans on, and who checked it.

Neurons are told apart by what they mean to people: those of one label in force belong together, and the
label whose neurons move a class most comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from csp.keeping.reviews.event import Reviewer
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import VERDICTS
from csp.work.attribution.class_attribution import ClassAttribution, How
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.artefacts import ArtefactNeuron, claims
from csp.work.reviews.desk import Spot
from csp.work.reviews.label_in_force import labels_in_force

MOST = 5
"""Labels named for each class."""


@dataclass(frozen=True)
class Effect:
    """The class that a neuron pushes towards most, and how much."""

    towards: str
    value: float
    how: How


@dataclass(frozen=True)
class Leaning:
    """A label that speaks for a class, with the neurons that carry it."""

    label: str
    neurons: tuple[Spot, ...]
    """The strongest first."""
    value: float
    """How much the strongest pushes."""
    checked: int
    """How many of these labels a person decided on."""
    how: How


@dataclass(frozen=True)
class ArtefactGroup:
    """The neurons that follow one artefact, or the same ones together."""

    words: str
    rows: tuple[ArtefactNeuron, ...]
    """The strongest first."""

    @property
    def by_people(self) -> int:
        """Of how many a person gave the label."""
        return sum(row.source == "person" for row in self.rows)


@dataclass(frozen=True)
class ReviewerRow:
    """What one person judged."""

    who: Reviewer
    neurons: int
    blind: int
    """Neurons that they judged, or wrote a label for, before they saw the machine's."""


def leanings(
    explorer: Explorer, attributions: Mapping[str, ClassAttribution], states: Mapping[Spot, NeuronReview]
) -> dict[str, tuple[Leaning, ...]]:
    """By class, the labels whose neurons push towards it most, the strongest first; none without classes.

    Only the layer nearest to the decision counts: of a layer before it, the same effect would count twice. A
    machine's label that is not claimed speaks for nothing.
    """
    layer = explorer.run.layers[-1]
    attribution = attributions.get(layer)
    if attribution is None:
        return {}
    reviewed = {neuron: state for (where, neuron), state in states.items() if where == layer}
    noise = unclaimed(explorer, layer)
    labels = {
        neuron: label.texts if claims(neuron, reviewed.get(neuron, NeuronReview()), noise) else ()
        for neuron, label in labels_in_force(explorer, layer, reviewed).items()
    }
    found = {}
    for place, name in enumerate(attribution.table.columns):  # two classes may have one name
        values = attribution.table.iloc[:, place]
        neurons: dict[str, list[tuple[float, int]]] = {}
        words: dict[str, str] = {}
        for neuron, value in enumerate(values.tolist()):
            for text in labels[neuron] if value > 0 else ():
                key = same_label(text) or text
                words.setdefault(key, text)
                neurons.setdefault(key, []).append((value, neuron))
        rows = [
            Leaning(
                words[key],
                tuple((layer, neuron) for _, neuron in sorted(own, key=lambda one: (-one[0], one[1]))),
                max(value for value, _ in own),
                sum(_decided(states, layer, neuron) for _, neuron in own),
                attribution.how,
            )
            for key, own in neurons.items()
        ]
        title = str(name) if name not in found else f"{name} (class {place})"
        found[title] = tuple(sorted(rows, key=lambda row: -row.value)[:MOST])
    return found


def artefact_groups(artefacts: Sequence[ArtefactNeuron]) -> tuple[ArtefactGroup, ...]:
    """The artefact neurons by what they follow, the artefact whose neuron pushes most first."""
    by_words: dict[str, list[ArtefactNeuron]] = {}
    for one in artefacts:
        by_words.setdefault(one.words, []).append(one)
    groups = [
        ArtefactGroup(words, tuple(sorted(rows, key=lambda one: -(one.attribution or 0.0))))
        for words, rows in by_words.items()
    ]
    return tuple(sorted(groups, key=lambda group: -(group.rows[0].attribution or 0.0)))


def reviewers(states: Mapping[Spot, NeuronReview]) -> tuple[ReviewerRow, ...]:
    """Who judged how many neurons, the busiest first; verdicts that were taken back do not count."""
    judged: dict[Reviewer, set[Spot]] = {}
    blind: dict[Reviewer, set[Spot]] = {}
    for spot, state in states.items():
        for event in state.events:
            if event.token in state.undone:
                continue
            if event.verdict in VERDICTS:
                judged.setdefault(event.who, set()).add(spot)
            if event.blind:
                blind.setdefault(event.who, set()).add(spot)
    rows = [ReviewerRow(who, len(spots), len(blind.get(who, ()))) for who, spots in judged.items()]
    return tuple(sorted(rows, key=lambda row: (-row.neurons, row.who)))


def effect(attribution: ClassAttribution | None, neuron: int) -> Effect | None:
    """The effect of a neuron; None where it pushes towards no class, or the run has none."""
    if attribution is None:
        return None
    name, value = next(iter(attribution.of(neuron).items()))
    return Effect(name, value, attribution.how) if isfinite(value) and value > 0 else None


def _decided(states: Mapping[Spot, NeuronReview], layer: str, neuron: int) -> bool:
    state = states.get((layer, neuron))
    return state is not None and state.deciding is not None
