"""What each labeler says first of the neurons of a world, and whether it is true."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from benchmarks.worlds.world import World
from csp.method.examples.select import Examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.registry import LABELERS
from csp.work.labels.scorer import Scorer

SILENT = -1
"""The label of a neuron that never fires."""


@dataclass(frozen=True, eq=False)
class Named:
    """The first labels in a world, and the truth."""

    world: World
    examples: list[Examples]
    first: dict[str, Int64[np.ndarray, " c"]]
    """By labeler, the text that each neuron's label is; `SILENT` without one."""

    @property
    def answerable(self) -> Bool[np.ndarray, " c"]:
        """The neurons for which some text is right."""
        return np.array([bool(truth) for truth in self.world.truths])

    def right(self, labeler: str) -> Bool[np.ndarray, " c"]:
        """Whether each neuron's first label is true."""
        firsts = self.first[labeler].tolist()
        return np.array([first in truth for first, truth in zip(firsts, self.world.truths, strict=True)])


def name_all(world: World, examples: int = 30, gamma: float = 1.0) -> Named:
    """The first labels of all labelers, found as indexing finds them."""
    selected = select_all(world.activations, world.embeddings, examples)
    scorer = Scorer(world.embeddings, world.text_embeddings, world.selection, lambda _: world.activations)
    firsts: dict[str, list[int]] = {name: [] for name in LABELERS}
    for column, chosen in zip(world.activations.T, selected, strict=True):
        scores = scorer.scores(world.name, np.ascontiguousarray(column), chosen, gamma)
        for name, found in firsts.items():
            found.append(_first(scores.get(name)))
    return Named(world, selected, {name: np.array(found) for name, found in firsts.items()})


def _first(scores: Float32[np.ndarray, " t"] | None) -> int:
    return SILENT if scores is None or not len(scores) else int(scores.argmax())
