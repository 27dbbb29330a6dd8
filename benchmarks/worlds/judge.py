"""What each labeler says first of the neurons of a world, and whether it is true."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from benchmarks.worlds.world import World
from csp.method.chance.facts import Encoded, Labelled, first_facts, layer_facts, sought
from csp.method.chance.fitted import LABELER
from csp.method.examples.select import Examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.registry import LABELERS
from csp.work.labels.scorer import TOP, Scorer, Scores

SILENT = -1
"""The label of a neuron that never fires."""


@dataclass(frozen=True, eq=False)
class Named:
    """The first labels in a world, and the truth."""

    world: World
    labelled: list[Labelled]
    """The neurons that have a label, with what the chance of the label is worked out from."""
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

    def facts(self) -> Float64[np.ndarray, "l f"]:
        """What the chance of each label is worked out from, in the order of `labelled`."""
        return layer_facts(self._encoded, self.world.steady, self.labelled)

    def own_facts(self) -> Float64[np.ndarray, "l 5"]:
        """`text_facts` of each label, before it is set beside the others of its layer."""
        encoded = self._encoded
        return first_facts(encoded, self.labelled, sought(encoded, self.world.steady, self.labelled))

    @property
    def _encoded(self) -> Encoded:
        return Encoded(self.world.embeddings, self.world.text_embeddings)


def name_all(world: World, examples: int = 30, gamma: float = 1.0) -> Named:
    """The first labels of all labelers, found as indexing finds them."""
    labelled: list[Labelled] = []
    selected = select_all(world.activations, world.embeddings, examples)
    labelled_by = select_all(world.steady, world.embeddings, examples) if world.outlying.any() else selected
    scorer = Scorer(
        world.embeddings,
        world.text_embeddings,
        world.selection,
        lambda _: [world.activations],
        outlying=lambda _: world.outlying,
    )
    firsts: dict[str, list[int]] = {name: [] for name in LABELERS}
    scored = scorer.layer_scores(world.name, world.activations, selected, gamma)
    for neuron, (examples_of, scores) in enumerate(zip(labelled_by, scored, strict=True)):
        for name, found in firsts.items():
            found.append(_first(scores.get(name)))
        if LABELER in scores:
            labelled.append(_labelled(neuron, examples_of, scores))
    return Named(world, labelled, {name: np.array(found) for name, found in firsts.items()})


def _first(scores: Float32[np.ndarray, " t"] | None) -> int:
    return SILENT if scores is None or not len(scores) else int(scores.argmax())


def _labelled(neuron: int, examples: Examples, scores: Scores) -> Labelled:
    """The texts that a run would store: the best of each labeler."""
    best = np.unique([np.argsort(-one, kind="stable")[:TOP] for one in scores.values()])
    best = best[np.argsort(-scores[LABELER][best], kind="stable")]
    return Labelled(neuron, examples, best)
