"""Concepts in two checkpoints: did a concept's neurons go away after retraining, and does it matter less?

found = concepts_across(a, states_a, b, states_b)
found.concepts[0].gone                       # neurons of run a that nothing in run b fires like

Neurons are matched as on the page Compare (`csp.work.neurons.counterparts`): by number where both runs are of
the same weights, else one to one by how they fire on shared images. Switching a concept off in the weights
leaves its neurons firing: then none is gone, and what changes without them is what fell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from csp.errors import BadInputError
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.counterparts import counterparts
from csp.work.reliance.concepts import Concept, concepts
from csp.work.reliance.numbers import How
from csp.work.reliance.reliance import ConceptReliance, reliance
from csp.work.reviews.desk import Spot

States = Mapping[Spot, NeuronReview]


@dataclass(frozen=True)
class Effect:
    """How much a concept's neurons move the class that they move most, where it is shown."""

    of_class: str
    change: float | None
    leans: bool
    how: How
    """Of those neurons that the last layer reads, or of all, by the model: not to be compared."""


@dataclass(frozen=True)
class ConceptAcross:
    """One concept, in the layers that both runs have."""

    name: str
    in_a: int
    in_b: int
    kept: int
    """Neurons of a whose counterpart in b means it, too."""
    other_label: int
    """Neurons of a whose counterpart in b means something else, or nothing."""
    gone: tuple[Spot, ...]
    """Neurons of a that no neuron of b fires like."""
    new: tuple[Spot, ...]
    """Neurons of b that no neuron of a fires like."""
    effect_a: Effect | None
    effect_b: Effect | None
    """None where the run can't tell, or has no such neurons."""


@dataclass(frozen=True)
class Across:
    """All concepts that either run has, those with the most neurons in a first."""

    layers: tuple[str, ...]
    images: int | None
    """Shared images that neurons were matched on; None: of the same weights, by number."""
    concepts: tuple[ConceptAcross, ...]


def concepts_across(a: Explorer, states_a: States, b: Explorer, states_b: States) -> Across:
    """Concepts of the same name in two runs.

    Raises BadInputError where the runs share no layer, or their neurons can't be matched.
    """
    layers = tuple(layer for layer in a.run.layers if layer in b.run.layers)
    if not layers:
        raise BadInputError(
            f"the runs {a.run.name} ({', '.join(a.run.layers)}) and {b.run.name} ({', '.join(b.run.layers)}) "
            "have no layer in common: compare runs of the same layers"
        )
    partner: dict[Spot, Spot] = {}
    images: int | None = None
    for layer in layers:
        matched = counterparts(a.run, b.run, layer)
        images = matched.images
        paired = matched.paired_b
        partner |= {(layer, own): (layer, int(paired[own])) for own in np.flatnonzero(paired >= 0).tolist()}
    named_a, named_b = (
        {one.name.casefold(): one for one in concepts(explorer, states)}
        for explorer, states in ((a, states_a), (b, states_b))
    )
    effects_a, effects_b = _effects(a, states_a), _effects(b, states_b)
    found = [
        _across(
            named_a.get(key),
            named_b.get(key),
            layers,
            partner,
            _alike(effects_a.get(key), effects_b.get(key)),
        )
        for key in dict.fromkeys((*named_a, *named_b))
    ]
    found = [one for one in found if one.in_a or one.in_b]
    return Across(layers, images, tuple(sorted(found, key=lambda one: (-one.in_a, -one.in_b, one.name))))


def _across(
    a: Concept | None,
    b: Concept | None,
    layers: tuple[str, ...],
    partner: Mapping[Spot, Spot],
    effects: tuple[Effect | None, Effect | None],
) -> ConceptAcross:
    own, other = (
        [spot for spot in one.neurons if spot[0] in layers] if one else list[Spot]() for one in (a, b)
    )
    met, theirs = set(partner.values()), set(other)
    kept = sum(partner.get(spot) in theirs for spot in own)
    gone = tuple(spot for spot in own if spot not in partner)
    named = a or b
    assert named is not None  # the name came from one of them
    return ConceptAcross(
        name=named.name,
        in_a=len(own),
        in_b=len(other),
        kept=kept,
        other_label=len(own) - kept - len(gone),
        gone=gone,
        new=tuple(spot for spot in other if spot not in met),
        effect_a=effects[0],
        effect_b=effects[1],
    )


def _alike(a: Effect | None, b: Effect | None) -> tuple[Effect | None, Effect | None]:
    """Both, but neither where one is of the neurons of one layer and the other of those of all."""
    return (None, None) if a and b and a.how != b.how else (a, b)


def _effects(explorer: Explorer, states: States) -> dict[str, Effect]:
    try:
        found = reliance(explorer, states).concepts
    except BadInputError:  # no answers that could change
        return {}
    return {one.concept.name.casefold(): _effect(one) for one in found}


def _effect(one: ConceptReliance) -> Effect:
    most = one.numbers.most
    return Effect(most, one.numbers.classes[most].main.change, one.leans, one.numbers.how)
