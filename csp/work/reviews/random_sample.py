"""A random sample of the labelled neurons of each layer, and what share of the machine's labels is wrong.

order = random_order("layer4", labelled)             # the same for everybody, whatever people judged before
rate = error_rate({"layer4": labelled}, states)      # RandomSample: .error, .layers["layer4"].error

Reviewers look at doubtful labels first, so the share of those that they overrule says nothing of the rest.
The sample does: each layer's labelled neurons are put in an order drawn by chance, and only those count that
stand before the first one that nobody looked at. Such a beginning of a random order is itself a random
sample, even where some of it was judged for another reason, and nobody can leave out the hard ones.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.method.metrics.statistics import Interval, Stratum, stratified_rate
from csp.work.reviews.desk import Spot

SEED = 20260422
SAMPLE = 60
"""Neurons of each layer in the sample; with all judged, a layer's rate is known within 13 points."""


@dataclass(frozen=True)
class LayerSample:
    """The sample in one layer."""

    labelled: int
    """Neurons of the layer with a machine's label: those that the rate speaks of."""
    drawn: int
    looked_at: int
    """From the beginning of the order without a gap."""
    wrong: int
    unsure: int
    """Of `looked_at`, those on which nobody could decide; they count neither as right nor as wrong."""
    waiting: int
    """Judged too, but behind one that nobody looked at: not counted yet."""
    error: Interval
    """Share of the labels that people did not confirm, with its 95 % interval."""

    @property
    def decided(self) -> int:
        """How many decisions the rate rests on."""
        return self.looked_at - self.unsure


@dataclass(frozen=True)
class RandomSample:
    """The sample of a run, layer by layer and together."""

    layers: Mapping[str, LayerSample]
    error: Interval
    """Of the layers with a decision, each weighted by its labelled neurons; `n` counts the decisions."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Layers of whose sample nobody judged any: `error` says nothing of them."""
        return tuple(name for name, layer in self.layers.items() if layer.labelled and not layer.decided)


def random_order(layer: str, labelled: Collection[int]) -> list[int]:
    """The sample of a layer in its order: drawn by chance, from the layer's name and the numbers alone."""
    name = int.from_bytes(hashlib.sha256(layer.encode()).digest()[:8])
    shuffled = np.random.default_rng([SEED, name]).permutation(sorted(labelled))
    return [int(neuron) for neuron in shuffled[:SAMPLE]]


def error_rate(labelled: Mapping[str, Collection[int]], states: Mapping[Spot, NeuronReview]) -> RandomSample:
    """What the sample says of the machine's labels; `labelled`: by layer, the neurons with one."""
    layers = {layer: _layer(layer, neurons, states) for layer, neurons in labelled.items()}
    return RandomSample(layers, stratified_rate([_stratum(one) for one in layers.values()]))


def _layer(layer: str, labelled: Collection[int], states: Mapping[Spot, NeuronReview]) -> LayerSample:
    nobody = NeuronReview()
    drawn = [states.get((layer, neuron), nobody) for neuron in random_order(layer, labelled)]
    gap = next((place for place, state in enumerate(drawn) if state.verdict is None), len(drawn))
    decided = [state for state in drawn[:gap] if state.deciding is not None]
    wrong, unsure = sum(map(overruled, decided)), gap - len(decided)
    return LayerSample(
        labelled=len(labelled),
        drawn=len(drawn),
        looked_at=gap,
        wrong=wrong,
        unsure=unsure,
        waiting=sum(state.verdict is not None for state in drawn[gap:]),
        error=stratified_rate([Stratum(len(labelled), gap - unsure, wrong)]),
    )


def overruled(state: NeuronReview) -> bool:
    """Whether the label in force of a decided neuron is another than the machine's, or none."""
    return same_label(state.label) != same_label(state.machine_label)


def _stratum(layer: LayerSample) -> Stratum:
    return Stratum(layer.labelled, layer.decided, layer.wrong)
