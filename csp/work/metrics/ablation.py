"""Causal check: what the model says with a neuron held at its mean, on its examples and on held-out images.

Exact from the run alone where a linear head follows the layer; elsewhere with the target model.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int64

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.attribution import centred_logits
from csp.method.metrics.ablation import Change, ablated_by_head, change
from csp.work.attribution.told_head import told_weights
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.metric import Metric, Number
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, ablatable, run_target
from csp.work.provenance import computed_by
from csp.work.splits import held_out

MOST_BYTES = 2**26
"""Of the layer's output in one pass, which holds each image once for every neuron measured at once."""
MOST_CLASSES = 20
"""With more, only the three numbers of each neuron are kept, not those of each class."""

Ablated = Callable[[Sequence[int], Int64[np.ndarray, " i"]], Float[np.ndarray, "m i classes"]]
"""Class probabilities of some images, for each of some neurons held at its mean."""


def prepare(explorer: Explorer, request: MetricRequest) -> "CausalCheck":
    """Make it ready."""
    return CausalCheck(explorer, request)


def check(run: Run) -> None:
    """Raise BadInputError for a run without classes."""
    if run.probabilities is None or len(run.manifest.classes) < 2:
        raise BadInputError(f"the run {run.name} has no classes, so nothing can change without a neuron")


class CausalCheck:
    """Compares the model's classes with and without a neuron."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self._explorer, self._options = explorer, request.options
        self._held_out, split = held_out(explorer.run)
        self._classes = explorer.run.manifest.classes
        self.settings = Settings(request.options)
        self.by = computed_by(csp_version(), f"{int(self._held_out.sum())} images ({split})")
        self._ablated: dict[str, Ablated] = {}

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Three numbers a neuron and, where the classes are few, two more for each class."""
        images = np.flatnonzero(self._held_out)
        for layer in dict.fromkeys(one.layer for one in subjects):
            neurons = [one for one in subjects if one.layer == layer]
            after = self._of(layer)([one.neuron for one in neurons], images)
            for one, probabilities in zip(neurons, after, strict=True):
                held = self._change(probabilities, images)
                yield from self._numbers(one, held, self._on_examples(one, probabilities, images))

    def _on_examples(
        self, one: Subject, after: Float[np.ndarray, "i classes"], images: Int64[np.ndarray, " i"]
    ) -> Change:
        """What changes on the neuron's examples; `after` is known already for those among `images`."""
        examples, _ = self._explorer.examples(one.layer, one.neuron, self._options)
        chosen = examples.activating.astype(np.int64)
        known = np.isin(chosen, images)
        others = chosen[~known]
        there = after[np.searchsorted(images, chosen[known])]
        measured = self._of(one.layer)([one.neuron], others)[0] if len(others) else there[:0]
        return self._change(np.concatenate([there, measured]), np.concatenate([chosen[known], others]))

    def _numbers(self, one: Subject, held: Change, strongest: Change) -> Iterator[Measured]:
        yield Measured(one, "causal_accuracy", held.accuracy)
        yield Measured(one, "causal_probability", _largest(held.probability))
        yield Measured(one, "causal_examples", _largest(strongest.probability))
        if len(self._classes) <= MOST_CLASSES:
            for place, name in enumerate(self._classes):
                yield Measured(one, f"causal_probability/{name}", float(held.probability[place]))
                yield Measured(one, f"causal_examples/{name}", float(strongest.probability[place]))
                if np.isfinite(held.accuracy_of[place]):
                    yield Measured(one, f"causal_accuracy/{name}", float(held.accuracy_of[place]))

    def _change(self, after: Float[np.ndarray, "i classes"], images: Int64[np.ndarray, " i"]) -> Change:
        return change(self._before[images], after, self._truth[images])

    def _of(self, layer: str) -> Ablated:
        if layer not in self._ablated:
            self._ablated[layer] = self._by_head(layer) or self._by_model(layer)
        return self._ablated[layer]

    def _by_head(self, layer: str) -> Ablated | None:
        run, logits = self._explorer.run, centred_logits(self._before)
        weights = told_weights(run, layer, logits)
        if weights is None:
            return None

        def ablated(
            neurons: Sequence[int], images: Int64[np.ndarray, " i"]
        ) -> Float[np.ndarray, "m i classes"]:
            own = ((n, run.activations(layer, n)) for n in neurons)
            return np.stack(
                [ablated_by_head(logits[images], a[images], weights[n], float(a.mean())) for n, a in own]
            )

        return ablated

    def _by_model(self, layer: str) -> Ablated:
        target, inputs = self._target
        ablatable(target)  # UnavailableError before anything is done
        size = 4 * next((math.prod(one.shape) for one in target.model.layers() if one.layer == layer), 1)
        means = self._explorer.run.each_neuron(
            layer, lambda block: np.asarray(np.nanmean(block, axis=0, dtype=np.float64))
        )

        def ablated(
            neurons: Sequence[int], images: Int64[np.ndarray, " i"]
        ) -> Float[np.ndarray, "m i classes"]:
            values, parts = means[list(neurons)].astype(np.float32), []
            at_once = max(1, MOST_BYTES // (size * len(neurons)))
            for start in range(0, len(images), at_once):
                some = images[start : start + at_once].tolist()
                batch, model = inputs.batch(some), ablatable(target.on(inputs.beside(some)))
                with target.lock:
                    parts.append(model.ablated(batch, layer, neurons, values))
            return np.concatenate(parts, axis=1)

        return ablated

    @cached_property
    def _target(self) -> tuple[RunTarget, ModelInputs]:
        target = run_target(self._explorer.run)
        return target, ModelInputs(self._explorer.run, target.model)

    @property
    def _before(self) -> Float[np.ndarray, "n classes"]:
        probabilities = self._explorer.run.probabilities
        assert probabilities is not None  # checked in `prepare`
        return probabilities

    @cached_property
    def _truth(self) -> Int64[np.ndarray, " n"]:
        places = {name: place for place, name in enumerate(self._classes)}
        labels = self._explorer.run.images["label"]
        return np.array([places.get(label, -1) for label in labels], dtype=np.int64)


def _largest(probability: Float64[np.ndarray, " classes"]) -> float:
    return float(probability[np.argmax(np.abs(probability))])


METRIC = Metric(
    "causal",
    "what the model gets wrong, and which class loses, when the neuron is held at its mean",
    prepare,
    (
        Number(
            "causal_accuracy",
            "Accuracy, switched off",
            "Change of the share of held-out images that the model calls rightly when the neuron is "
            "held at its mean. -1 to 1; below 0 the model needs the neuron.",
            "neither",
            "mean ablation: Morcos et al., arXiv 1803.06959",
            low=-1,
            high=1,
            of_classes=True,
        ),
        Number(
            "causal_probability",
            "Probability, switched off",
            "Largest mean change of a class's probability on held-out images when the neuron is held "
            "at its mean. -1 to 1; below 0 the neuron speaks for that class.",
            "neither",
            "mean ablation: Morcos et al., arXiv 1803.06959",
            low=-1,
            high=1,
            of_classes=True,
        ),
        Number(
            "causal_examples",
            "Probability on its examples, switched off",
            "Largest mean change of a class's probability on the images that activate the neuron most "
            "when it is held at its mean. -1 to 1; below 0 the neuron speaks for that class.",
            "neither",
            "mean ablation: Morcos et al., arXiv 1803.06959",
            low=-1,
            high=1,
            of_classes=True,
        ),
    ),
    of_labels=False,
    check=check,
    place=4,
)
