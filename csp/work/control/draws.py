"""Neurons of a run with shuffled activations, and the first labels that they get."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.method.control import dealt_neurons, shuffled
from csp.method.examples.outlying import steady
from csp.method.labelers.correlation import LABELER as CORRELATION
from csp.work.labels.layer_examples import LayerExamples, layer_examples
from csp.work.labels.scorer import Scores, neurons_at_once
from csp.work.splits import selection

DRAWS = 256
"""Shuffled neurons of a layer. The 95 % quantile of the best score over them is then off by about a tenth of
the scores' standard deviation, and all of them cost an eighth of labelling 2,048 neurons."""

Row = dict[str, Any]
FIT = CORRELATION.name
"""The labeler by whose score labels of all labelers are held against noise; see `control.py`."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Some shuffled neurons."""

    first: int
    """The number of the first draw among all."""
    neurons: list[int]
    """Whose activations were shuffled."""
    activations: Float32[np.ndarray, "n c"]
    examples: LayerExamples


def shuffled_neurons(run: Run, layer: str, draws: int = DRAWS, start: int = 0) -> Iterator[Draws]:
    """Shuffled neurons of a layer, some at a time, the same ones each time; none where no neuron fires.

    From the part on in which the draw `start` is.
    """
    table, parameters = run.neurons(layer), run.manifest.parameters
    firing = table.loc[table["max"] > 0, "neuron"].tolist()
    if not firing:
        return
    rng = np.random.default_rng([parameters.seed, run.layers.index(layer)])
    decides, outlying = selection(run), run.outlying(layer)
    dealt = dealt_neurons(firing, draws, rng)
    together = neurons_at_once(run.manifest.images)
    for first in range(0, draws, together):
        neurons = dealt[first : first + together].tolist()
        dealt_out = np.empty((len(neurons), run.manifest.images), np.float32)
        for place, neuron in enumerate(neurons):
            dealt_out[place] = shuffled(steady(run.activations(layer, neuron), outlying), decides, rng)
        if first + together > start:
            yield Draws(first, neurons, dealt_out.T, layer_examples(run, dealt_out.T))
        del dealt_out  # before the next are dealt out


def first_labels(scores: Scores, texts: tuple[str, ...]) -> Iterator[Row]:
    """By labeler the first label, its score, and how well it fits: its correlation with the activations."""
    for labeler, values in scores.items():
        place = int(np.argmax(values))
        fit = float(scores[FIT][place])
        yield {"labeler": labeler, "label": texts[place], "score": float(values[place]), "fit": fit}
