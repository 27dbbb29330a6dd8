"""Neurons that seem to follow an artefact (ruler, hair, ink, ...), and the class that they push towards."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import TAGS
from csp.method.control import ByChance
from csp.work.attribution.class_attribution import ClassAttribution, How, class_attribution
from csp.work.control.control import LayerControl, layer_control, unclaimed
from csp.work.control.untrained import untrained_control
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.checklist import ARTEFACT, Criteria, artefacts_of, criteria
from csp.work.reviews.desk import Spot
from csp.work.reviews.label_in_force import label_in_force


@dataclass(frozen=True)
class ArtefactNeuron:
    """A neuron whose label in force, or whose tag by a person, names an artefact.

    A machine's label that fits no better than noise claims nothing.
    """

    layer: str
    neuron: int
    label: str | None
    source: Literal["person", "machine"]
    """Whose label it is."""
    tags: tuple[str, ...]
    """The artefacts named, as review tags such as `artefact:ruler`."""
    towards: str | None
    """The class that the neuron pushes towards most; None where there is none, or none was measured."""
    attribution: float | None
    """How much: see `ClassAttribution.how`."""
    how: How | None

    @property
    def words(self) -> str:
        """The artefacts for people: `ruler marks, hairs`."""
        return ", ".join(TAGS[tag] for tag in self.tags)


def artefact_neurons(explorer: Explorer, states: Mapping[Spot, NeuronReview]) -> list[ArtefactNeuron]:
    """All of a run, the layer nearest to the decision first, in it those that push towards a class most."""
    return [one for layer in reversed(explorer.run.layers) for one in artefacts_in(explorer, layer, states)]


def artefacts_in(explorer: Explorer, layer: str, states: Mapping[Spot, NeuronReview]) -> list[ArtefactNeuron]:
    """Those of one layer, those that push towards a class most first."""
    found = list(_found(explorer, layer, states))
    return sorted(found, key=lambda one: -(one.attribution or 0.0))


def _found(explorer: Explorer, layer: str, states: Mapping[Spot, NeuronReview]) -> Iterator[ArtefactNeuron]:
    known, attribution = criteria(), class_attribution(explorer, layer)
    noise = unclaimed(explorer, layer)
    machine = explorer.stored_facets.machine_labels(layer)
    for neuron in range(explorer.run.layer(layer).neurons):
        state = states.get((layer, neuron), NeuronReview())
        label = label_in_force(machine.get(neuron), state).text
        if tags := artefact_tags(label if claims(neuron, state, noise) else None, state, known):
            yield ArtefactNeuron(layer, neuron, label, state.source, tags, *_towards(attribution, neuron))


def artefacts_by_chance(explorer: Explorer, layer: str) -> ByChance | None:
    """How many neurons of a layer would seem to follow an artefact if all labels were of noise.

    None without a vocabulary, or where no neuron fires.
    """
    return _artefacts_in(explorer, layer, layer_control(explorer, layer))


def artefacts_untrained(explorer: Explorer, layer: str) -> ByChance | None:
    """How many would seem to, had the model random weights; None where that was not measured."""
    control = untrained_control(explorer, layer)
    return None if control is None else _artefacts_in(explorer, layer, control)


def artefacts_by_first_label(explorer: Explorer, layer: str) -> int:
    """Of how many neurons the machine's first label alone names an artefact and is claimed: what
    `artefacts_by_chance` is to be held against, as the control has no other labels.
    """
    known, noise = criteria(), unclaimed(explorer, layer)
    first = explorer.stored_labels.first_labels(layer)
    return sum(bool(artefacts_of(label, known)) for neuron, label in first.items() if neuron not in noise)


def labels_by_chance(
    explorer: Explorer, layer: str, control: LayerControl, holds: Callable[[str], bool]
) -> ByChance | None:
    """How many first labels of a layer would be of a kind, had it the labels of a control."""
    first = explorer.stored_labels.first_labeler(layer)
    labelled = len(explorer.stored_labels.first_rows(layer))
    noise = layer_control(explorer, layer).noise_of_fit(first)
    return control.by_chance(first, holds, labelled, noise)


def _artefacts_in(explorer: Explorer, layer: str, control: LayerControl) -> ByChance | None:
    known = criteria()
    return labels_by_chance(explorer, layer, control, lambda label: bool(artefacts_of(label, known)))


def claims(neuron: int, state: NeuronReview, noise: Set[int]) -> bool:
    """Whether the label in force says something: a person's does, the machine's unless it is one of noise."""
    return state.source == "person" or neuron not in noise


def artefact_tags(label: str | None, state: NeuronReview, known: Criteria) -> tuple[str, ...]:
    """The artefacts that a label names, and those that people tagged and did not take back, each once."""
    standing = (event for event in state.events if event.token not in state.undone)
    tagged = (tag for event in standing for tag in event.tags if tag.startswith(ARTEFACT))
    return tuple(dict.fromkeys((*artefacts_of(label, known), *tagged)))


def _towards(
    attribution: ClassAttribution | None, neuron: int
) -> tuple[str | None, float | None, How | None]:
    if attribution is None:
        return None, None, None
    name, value = next(iter(attribution.of(neuron).items()))
    return (name, value, attribution.how) if value > 0 else (None, None, attribution.how)
