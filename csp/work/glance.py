"""A run at a glance: its neurons, and how many were reviewed, are disputed, or seem to follow an artefact."""

from collections.abc import Mapping
from dataclasses import dataclass

from csp.keeping.reviews.state import NeuronReview
from csp.work.artefacts import artefact_tags
from csp.work.criteria import criteria
from csp.work.explorer import Explorer


@dataclass(frozen=True)
class LayerGlance:
    """Counts over the neurons of one layer."""

    layer: str
    neurons: int
    reviewed: int
    """With a decision by a person."""
    disputed: int
    artefacts: int
    """Whose label in force, or a person's tag, names an artefact."""


def layer_glance(explorer: Explorer, layer: str, reviewed: Mapping[int, NeuronReview]) -> LayerGlance:
    """Counts one layer; `reviewed` says where neurons stand that people judged."""
    known, machine = criteria(), explorer.first_labels(layer)
    neurons = explorer.run.layer(layer).neurons
    states = {neuron: reviewed.get(neuron, NeuronReview()) for neuron in range(neurons)}
    labels = {
        neuron: machine.get(neuron) if state.deciding is None else state.label
        for neuron, state in states.items()
    }
    return LayerGlance(
        layer=layer,
        neurons=neurons,
        reviewed=sum(state.deciding is not None for state in states.values()),
        disputed=sum(state.disputed for state in states.values()),
        artefacts=sum(bool(artefact_tags(labels[neuron], state, known)) for neuron, state in states.items()),
    )
