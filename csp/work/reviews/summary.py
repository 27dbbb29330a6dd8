"""A run at a glance: its neurons, and how many were reviewed, are disputed, or seem to follow an artefact."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from csp.keeping.reviews.normalise import together
from csp.keeping.reviews.state import NeuronReview
from csp.method.control import ByChance
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.artefacts import (
    artefact_tags,
    artefacts_by_chance,
    artefacts_by_first_label,
    artefacts_untrained,
    claims,
)
from csp.work.reviews.checklist import artefacts_of, criteria
from csp.work.reviews.label_in_force import label_in_force


@dataclass(frozen=True)
class LayerSummary:
    """Counts over the neurons of one layer."""

    layer: str
    neurons: int
    reviewed: int
    """With a decision by a person."""
    disputed: int
    artefacts: int
    """Whose label in force, or a person's tag, names an artefact; see `ArtefactNeuron`."""
    artefacts_by_first_label: int
    """How many by the machine's first labels alone: what the next two are to be held against."""
    by_chance: ByChance | None
    """How many of these noise would give; None where that is not known."""
    untrained: ByChance | None
    """How many random weights would give; None where that was not measured."""


def layer_summary(explorer: Explorer, layer: str, reviewed: Mapping[int, NeuronReview]) -> LayerSummary:
    """Counts one layer; `reviewed` says where neurons stand that people judged."""
    machine, neurons = explorer.stored_facets.machine_labels(layer), explorer.run.layer(layer).neurons
    return LayerSummary(
        layer=layer,
        neurons=neurons,
        reviewed=sum(state.deciding is not None for state in reviewed.values()),
        disputed=sum(state.disputed for state in reviewed.values()),
        artefacts=_artefacts(
            [machine.get(neuron) for neuron in range(neurons)], reviewed, unclaimed(explorer, layer)
        ),
        artefacts_by_first_label=artefacts_by_first_label(explorer, layer),
        by_chance=artefacts_by_chance(explorer, layer),
        untrained=artefacts_untrained(explorer, layer),
    )


def _artefacts(
    machine: Sequence[tuple[str, ...] | None], reviewed: Mapping[int, NeuronReview], noise: Set[int]
) -> int:
    """Most neurons were judged by nobody, and many share a label: each is looked at once."""
    known = criteria()
    silent = reviewed.keys() | noise
    unjudged = Counter(labels for neuron, labels in enumerate(machine) if labels and neuron not in silent)
    judged = (
        artefact_tags(
            label_in_force(machine[neuron], state).text if claims(neuron, state, noise) else None,
            state,
            known,
        )
        for neuron, state in reviewed.items()
    )
    named = sum(count for labels, count in unjudged.items() if artefacts_of(together(labels), known))
    return named + sum(map(bool, judged))
