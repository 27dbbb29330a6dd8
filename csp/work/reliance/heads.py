"""The linear head behind a layer of a run, told from what the run holds: no model is needed.

head = head_of(run, "layer4")                 # Head: .weights .bias .link; None where none follows the layer
seen = behind_head(run)                       # BehindHead of the last such layer; None where the run has none
seen.outputs                                  # what the model says of every probe image
seen.without([17, 40])                        # the same with these neurons at their mean
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Float64

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.attribution import EXACT
from csp.method.reliance import Head, find_head, link_of, logits_of, mean_ablated, outputs_of
from csp.work.attribution.class_attribution import CLASS_ATTRIBUTION


def check_answers(run: Run) -> None:
    """Raise BadInputError for a run that holds no answers of its model which could change."""
    if run.probabilities is None or not run.manifest.classes:
        raise BadInputError(
            f"the run {run.name} holds no class probabilities, so what the model leans on can't be measured: "
            "make the run with `csp index`, or import them with --probabilities"
        )


@lru_cache(maxsize=8)
def head_of(run: Run, layer: str) -> Head | None:
    """The head on a layer's pooled output; None where none follows it, or the run does not tell.

    From activations and probabilities, which tell it where there are more images than neurons; else from the
    exact attribution that was measured with the model, if that explains the answers.
    """
    if run.probabilities is None:
        return None
    activations = run.layer_activations(layer)
    return find_head(activations, run.probabilities) or _measured(run, layer)


@dataclass(frozen=True, eq=False)
class BehindHead:
    """A layer that a linear head follows, with what goes through it on every probe image."""

    layer: str
    head: Head
    activations: Float32[np.ndarray, "n c"]
    logits: Float64[np.ndarray, "n classes"]
    """As stored, and by the head where an answer of 0 or 1 hides them."""

    @cached_property
    def outputs(self) -> Float64[np.ndarray, "n classes"]:
        """What the model says."""
        return outputs_of(self.logits, self.head.link)

    @cached_property
    def usual(self) -> Float64[np.ndarray, " c"]:
        """The mean activation of each neuron over the probe images: what it is held at."""
        return np.asarray(np.nan_to_num(self.activations[self.usable].mean(axis=0, dtype=np.float64)))

    @cached_property
    def usable(self) -> Bool[np.ndarray, " n"]:
        """The images on which everything is a number."""
        found: Bool[np.ndarray, " n"] = np.isfinite(self.activations).all(axis=1) & np.isfinite(
            self.logits
        ).all(axis=1)
        return found

    def without(self, neurons: Sequence[int]) -> Float64[np.ndarray, "n classes"]:
        """What it says of every probe image with these neurons held at their mean; exact."""
        added = self.head.added(self.activations, neurons)
        return mean_ablated(self.logits, added, self.usual_added(neurons), self.head.link)

    def usual_added(self, neurons: Sequence[int]) -> Float64[np.ndarray, " classes"]:
        """What these neurons add to the logits when they are held at their mean."""
        added: Float64[np.ndarray, " classes"] = self.head.added(self.usual[None], neurons)[0]
        return added


@lru_cache(maxsize=4)
def behind_head(run: Run) -> BehindHead | None:
    """The last layer of a run that a linear head follows; None where the run has none."""
    for layer in reversed(run.layers):
        head = head_of(run, layer)
        if head is not None and run.probabilities is not None:
            activations = run.layer_activations(layer)
            stored = logits_of(run.probabilities, head.link)
            logits = np.where(np.isfinite(stored), stored, head.logits(activations))
            return BehindHead(layer, head, activations, logits)
    return None


def _measured(run: Run, layer: str) -> Head | None:
    """From W std(a), kept by `csp attribute`."""
    rows = Additions(run).read(CLASS_ATTRIBUTION)
    rows = rows[(rows["layer"] == layer) & (rows["how"] == "exact")].sort_values("neuron")
    if rows["neuron"].tolist() != list(range(run.layer(layer).neurons)) or run.probabilities is None:
        return None
    activations = run.layer_activations(layer).astype(np.float64)
    deviation = activations.std(axis=0)
    push = np.stack(rows["push"].tolist()).astype(np.float64)
    weights = np.divide(push, deviation[:, None], out=np.zeros_like(push), where=deviation[:, None] > 0)
    link = link_of(run.probabilities)
    logits = logits_of(run.probabilities, link)
    usable = np.isfinite(logits).all(axis=1) & np.isfinite(activations).all(axis=1)
    if push.shape[1] != logits.shape[1] or not usable.any():
        return None
    unexplained = logits[usable] - activations[usable] @ weights
    bias = unexplained.mean(axis=0)
    spread = np.sqrt(np.mean((logits[usable] - logits[usable].mean(axis=0)) ** 2))
    if np.sqrt(np.mean((unexplained - bias) ** 2)) > EXACT * spread:
        return None
    return Head(weights, bias, link)
