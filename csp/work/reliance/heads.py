"""The linear head behind a layer of a run, told from what the run holds: no model is needed.

head = head_of(run, "layer4")                 # Head: .weights .bias .link; None where none follows the layer
seen = behind_head(run)                       # BehindHead of the last such layer; None where the run has none
seen.outputs                                  # what the model says of every probe image
seen.without([17, 40])                        # the same with these neurons at their mean
"""

from collections.abc import Iterator, Sequence
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
from csp.work.attribution.told_head import borne_out, finite_images, telling_images, weighed

ADDED_AT_ONCE = 2**25
"""So many numbers, groups times images times classes, are held at a time."""


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
    images, outputs = telling_images(run, layer), run.probabilities
    found = find_head(run.of_images(layer, images), outputs[images])
    if found is not None and borne_out(run, layer, found.weights, logits_of(outputs, found.link)):
        return found
    return _measured(run, layer)


@dataclass(frozen=True, eq=False)
class BehindHead:
    """A layer that a linear head follows, with what goes through it on every probe image."""

    run: Run
    layer: str
    head: Head
    logits: Float64[np.ndarray, "n classes"]
    """As stored, and by the head where an answer of 0 or 1 hides them."""

    @cached_property
    def outputs(self) -> Float64[np.ndarray, "n classes"]:
        """What the model says."""
        return outputs_of(self.logits, self.head.link)

    @cached_property
    def usual(self) -> Float64[np.ndarray, " c"]:
        """The mean activation of each neuron over the probe images: what it is held at."""
        usable = self.usable
        found = self.run.each_neuron(self.layer, lambda block: block[usable].mean(axis=0, dtype=np.float64))
        return np.asarray(np.nan_to_num(found))

    @cached_property
    def usable(self) -> Bool[np.ndarray, " n"]:
        """The images on which everything is a number."""
        return np.asarray(finite_images(self.run, self.layer) & np.isfinite(self.logits).all(axis=1))

    def of_picture(self, image: int) -> Float32[np.ndarray, " c"]:
        """The activations of one probe image."""
        return _of_picture(self, image)

    def added(self, neurons: Sequence[int]) -> Float64[np.ndarray, "n classes"]:
        """What these neurons add to the logits of each image."""
        return next(self.added_by([neurons]))

    def added_by(self, groups: Sequence[Sequence[int]]) -> Iterator[Float64[np.ndarray, "n classes"]]:
        """The same of many groups, in order; a pass over the layer serves as many as fit into memory."""
        at_once = max(1, ADDED_AT_ONCE // max(1, self.logits.size))
        for start in range(0, len(groups), at_once):
            some = [np.asarray(one, dtype=np.int64) for one in groups[start : start + at_once]]
            total = np.zeros((len(some), *self.logits.shape))
            for neurons, block in self.run.neuron_blocks(self.layer):
                for place, group in enumerate(some):
                    own = group[(group >= neurons.start) & (group < neurons.stop)]
                    total[place] += block[:, own - neurons.start].astype(np.float64) @ self.head.weights[own]
            yield from total

    def without(self, neurons: Sequence[int]) -> Float64[np.ndarray, "n classes"]:
        """What it says of every probe image with these neurons held at their mean; exact."""
        return next(self.without_each([neurons]))

    def without_each(self, groups: Sequence[Sequence[int]]) -> Iterator[Float64[np.ndarray, "n classes"]]:
        """The same of many groups, in order."""
        for neurons, added in zip(groups, self.added_by(groups), strict=True):
            yield mean_ablated(self.logits, added, self.usual_added(neurons), self.head.link)

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
            stored = logits_of(run.probabilities, head.link)
            told = weighed(run, layer, head.weights) + head.bias
            return BehindHead(run, layer, head, np.where(np.isfinite(stored), stored, told))
    return None


@lru_cache(maxsize=8)
def _of_picture(seen: BehindHead, image: int) -> Float32[np.ndarray, " c"]:
    found: Float32[np.ndarray, " c"] = seen.run.of_images(seen.layer, np.array([image]))[0]
    return found


def _measured(run: Run, layer: str) -> Head | None:
    """From W std(a), kept by `csp attribute`."""
    rows = Additions(run).read(CLASS_ATTRIBUTION)
    rows = rows[(rows["layer"] == layer) & (rows["how"] == "exact")].sort_values("neuron")
    if rows["neuron"].tolist() != list(range(run.layer(layer).neurons)) or run.probabilities is None:
        return None
    deviation = run.each_neuron(layer, lambda block: block.astype(np.float64).std(axis=0))
    push = np.stack(rows["push"].tolist()).astype(np.float64)
    weights = np.divide(push, deviation[:, None], out=np.zeros_like(push), where=deviation[:, None] > 0)
    link = link_of(run.probabilities)
    logits = logits_of(run.probabilities, link)
    usable = np.isfinite(logits).all(axis=1) & finite_images(run, layer)
    if push.shape[1] != logits.shape[1] or not usable.any():
        return None
    unexplained = (logits - weighed(run, layer, weights))[usable]
    bias = unexplained.mean(axis=0)
    spread = np.sqrt(np.mean((logits[usable] - logits[usable].mean(axis=0)) ** 2))
    if np.sqrt(np.mean((unexplained - bias) ** 2)) > EXACT * spread:
        return None
    return Head(weights, bias, link)
