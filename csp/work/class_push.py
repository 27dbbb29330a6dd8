"""Which class each neuron of a layer pushes.

Where the layer's pooled output feeds the last linear layer, the head's weights follow from the stored
activations and probabilities, and the push is exact. Elsewhere only what goes together can be told.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from csp.method.push import centred_logits, exact_push, goes_with, linear_head
from csp.work.explorer import Explorer
from csp.work.provenance import answered, computed_by, csp_version
from csp.work.views import Provenance

How = Literal["exact", "goes with"]

HOW: dict[How, str] = {
    "exact": (
        "exact: how much the class's logit, against the other classes', rises when the neuron rises by one "
        "standard deviation"
    ),
    "goes with": (
        "correlation of the neuron with the class over the probe images, -1 to 1: what goes together, "
        "not what causes what"
    ),
}
"""What the number means, by how it was found."""


@dataclass(frozen=True)
class ClassPush:
    """The push of every neuron of a layer on every class."""

    layer: str
    how: How
    table: pd.DataFrame
    """One row a neuron (index), one column a class: above 0 it speaks for the class, below against it."""
    provenance: Provenance

    @property
    def most(self) -> pd.Series:
        """By neuron: the class that it pushes most; None for a neuron that pushes none."""
        pushed = self.table.idxmax(axis=1).astype(object)
        return pushed.where(self.table.max(axis=1) > 0, None)

    def of(self, neuron: int) -> dict[str, float]:
        """By class, the most pushed first."""
        values = dict(zip(self.table.columns, self.table.to_numpy()[neuron].tolist(), strict=True))
        return dict(sorted(values.items(), key=lambda one: -one[1]))


def class_push(explorer: Explorer, layer: str) -> ClassPush | None:
    """The pushes in a layer; None when the run has no class probabilities."""
    run = explorer.run
    classes = run.manifest.classes
    if run.probabilities is None or len(classes) < 2:
        return None
    probabilities = run.probabilities

    def compute() -> dict[str, Any]:
        activations, logits = run.layer_activations(layer), centred_logits(probabilities)
        weights = linear_head(activations, logits)
        if weights is None:
            return {"how": "goes with", "push": _json(goes_with(activations, logits))}
        return {"how": "exact", "push": _json(exact_push(activations, weights))}

    answer = explorer.answers.get_or_compute(
        explorer.key("class push", layer), compute, by=computed_by(csp_version())
    )
    table = pd.DataFrame(answer.value["push"], columns=list(classes))
    return ClassPush(layer, answer.value["how"], table, answered(answer))


def _json(push: np.ndarray) -> list[list[float]]:
    rows: list[list[float]] = np.nan_to_num(push).round(6).tolist()
    return rows
