"""Causal check: what the model says with a neuron held at its mean, on its examples and on held-out images.

Exact from the run alone where a linear head follows the layer; elsewhere with the target model.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int64

from csp.errors import BadInputError, UnavailableError
from csp.method.causal import Change, ablated_by_head, change
from csp.method.push import centred_logits, linear_head
from csp.work.explorer import Explorer
from csp.work.measuring import Measured, Request, Subject
from csp.work.probe_pictures import ProbePictures
from csp.work.provenance import computed_by, csp_version
from csp.work.run_models import RunTarget, run_target
from csp.work.splits import held_out
from csp.world.models import AblatableTarget

AT_ONCE = 8
"""Images a pass; each is repeated for every neuron measured at once."""
MOST_CLASSES = 20
"""With more, only the three numbers of each neuron are kept, not those of each class."""

Ablated = Callable[[Sequence[int], Int64[np.ndarray, " i"]], Float[np.ndarray, "m i classes"]]
"""Class probabilities of some images, for each of some neurons held at its mean."""


def prepare(explorer: Explorer, request: Request) -> "CausalCheck":
    """Make it ready; raises BadInputError for a run without classes."""
    if explorer.run.probabilities is None or len(explorer.run.manifest.classes) < 2:
        raise BadInputError(
            f"the run {explorer.run.name} has no classes, so nothing can change without a neuron"
        )
    return CausalCheck(explorer, request)


class CausalCheck:
    """Compares the model's classes with and without a neuron."""

    def __init__(self, explorer: Explorer, request: Request) -> None:
        self._explorer, self._choice = explorer, request.choice
        self._held_out, split = held_out(explorer.run)
        self._classes = explorer.run.manifest.classes
        self.settings = str(request.choice)
        self.by = computed_by(csp_version(), f"{int(self._held_out.sum())} images ({split})")
        self._ablated: dict[str, Ablated] = {}

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Three numbers a neuron and, where the classes are few, two more for each class."""
        for layer in dict.fromkeys(one.layer for one in subjects):
            neurons = [one for one in subjects if one.layer == layer]
            after = self._of(layer)([one.neuron for one in neurons], np.flatnonzero(self._held_out))
            for one, probabilities in zip(neurons, after, strict=True):
                yield from self._numbers(one, self._change(probabilities, np.flatnonzero(self._held_out)))

    def _numbers(self, one: Subject, held: Change) -> Iterator[Measured]:
        examples, _ = self._explorer.examples(one.layer, one.neuron, self._choice)
        images = examples.activating.astype(np.int64)
        strongest = self._change(self._of(one.layer)([one.neuron], images)[0], images)
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
        activations, logits = self._explorer.run.layer_activations(layer), centred_logits(self._before)
        weights = linear_head(activations, logits)
        if weights is None:
            return None

        def ablated(
            neurons: Sequence[int], images: Int64[np.ndarray, " i"]
        ) -> Float[np.ndarray, "m i classes"]:
            return np.stack(
                [
                    ablated_by_head(
                        logits[images], activations[images, n], weights[n], float(activations[:, n].mean())
                    )
                    for n in neurons
                ]
            )

        return ablated

    def _by_model(self, layer: str) -> Ablated:
        target, pictures = run_target(self._explorer.run), ProbePictures(self._explorer.run)
        model = _ablatable(target)
        activations = self._explorer.run.layer_activations(layer)
        means: Float64[np.ndarray, " c"] = np.asarray(np.nanmean(activations, axis=0, dtype=np.float64))

        def ablated(
            neurons: Sequence[int], images: Int64[np.ndarray, " i"]
        ) -> Float[np.ndarray, "m i classes"]:
            values, parts = means[list(neurons)].astype(np.float32), []
            for start in range(0, len(images), AT_ONCE):
                rows = images[start : start + AT_ONCE].tolist()
                batch = np.stack([target.model.preprocess(pictures.picture(row).image) for row in rows])
                with target.lock:
                    parts.append(model.ablated(batch, layer, neurons, values))
            return np.concatenate(parts, axis=1)

        return ablated

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


def _ablatable(target: RunTarget) -> AblatableTarget:
    if isinstance(target.model, AblatableTarget):
        return target.model
    raise UnavailableError(
        f"the target model {target.model.name} can't hold a neuron at a value: its adapter lacks ablated "
        "(docs/adapters.md)"
    )
