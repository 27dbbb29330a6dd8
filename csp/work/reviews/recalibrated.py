"""The chances of first labels as people's verdicts on the run have them.

found = recalibrated_chances(run, "layer4", desk)    # .chances by neuron, .judged, .recalibrated
found = recalibrated_by(run, "layer4", states)       # the same of verdicts that are at hand
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from csp.keeping.reviews.normalise import label_parts, same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.method.chance.model import recalibrated
from csp.work.labels.chance import label_chances
from csp.work.labels.stored import StoredLabels
from csp.work.reviews.desk import ReviewDesk, Spot

ENOUGH = 50
"""From so many judged neurons of a run on, people's verdicts recalibrate its chances."""


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """The chances of a layer."""

    chances: Float64[np.ndarray, " c"]
    """As `label_chances`; recalibrated where enough was judged."""
    judged: int
    """Neurons of the run on whose first label people agree, right or wrong."""

    @property
    def recalibrated(self) -> bool:
        """Whether people's verdicts count: screens say so."""
        return self.judged >= ENOUGH


def recalibrated_chances(run: Run, layer: str, desk: ReviewDesk) -> Recalibrated:
    """The chances of a layer's first labels; recalibrated from `ENOUGH` judged neurons of the run on."""
    return recalibrated_by(run, layer, desk.states())


def recalibrated_by(run: Run, layer: str, states: Mapping[Spot, NeuronReview]) -> Recalibrated:
    """As `recalibrated_chances`; `states` says where the judged neurons of all layers stand."""
    said, right = _verdicts(run, states)
    found = label_chances(run, layer)
    if len(said) >= ENOUGH:
        found = recalibrated(found, np.array(said), np.array(right))
    return Recalibrated(found, len(said))


def _verdicts(run: Run, states: Mapping[Spot, NeuronReview]) -> tuple[list[float], list[bool]]:
    """Of the judged neurons the chance of the first label, and whether people found it right."""
    labels = StoredLabels(run)
    said, right = list[float](), list[bool]()
    for layer in run.layers:
        chances, firsts = label_chances(run, layer), labels.first_labels(layer)
        for (where, neuron), state in states.items():
            if where != layer:
                continue
            verdict = _right(state, firsts.get(neuron))
            if verdict is not None and np.isfinite(chances[neuron]):
                said.append(float(chances[neuron]))
                right.append(verdict)
    return said, right


def _right(state: NeuronReview, machine: str | None) -> bool | None:
    """Whether people found the machine's first label right; None: not judged, unsure, or in dispute."""
    event = state.deciding
    if event is None or state.disputed or machine is None or event.verdict is Action.UNSURE:
        return None
    said = (event.label, *label_parts(event.label))  # the whole too: a label may hold a ; itself
    return any(same_label(text) == same_label(machine) for text in said)
