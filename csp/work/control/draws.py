"""Neurons of a run with shuffled activations, and the first labels that they get."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.method.control import dealt_neurons, shuffled
from csp.method.examples.contrast_rule import parse_rule
from csp.method.examples.select import Examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.correlation import LABELER as CORRELATION
from csp.work.labels.scorer import AT_ONCE, Scores
from csp.work.splits import selection

DRAWS = 256
"""Shuffled neurons of a layer. The 95 % quantile of the best score over them is then off by about a tenth of
the scores' standard deviation, and all of them cost an eighth of labelling 2,048 neurons."""

Row = dict[str, Any]
FIT = CORRELATION.name
"""The labeler by whose score labels of all labelers are held against noise; see `control.py`."""


@dataclass(frozen=True, eq=False)
class Draw:
    """One shuffled neuron."""

    draw: int
    neuron: int
    """Whose activations were shuffled."""
    activations: Float32[np.ndarray, " n"]
    examples: Examples


def shuffled_neurons(run: Run, layer: str, draws: int = DRAWS) -> Iterator[Draw]:
    """Shuffled neurons of a layer, the same ones each time; none where no neuron fires."""
    table, parameters = run.neurons(layer), run.manifest.parameters
    firing = table.loc[table["max"] > 0, "neuron"].tolist()
    if not firing:
        return
    rng = np.random.default_rng([parameters.seed, run.layers.index(layer)])
    rule, decides = parse_rule(parameters.contrast), selection(run)
    dealt = dealt_neurons(firing, draws, rng)
    for start in range(0, draws, AT_ONCE):
        neurons = dealt[start : start + AT_ONCE].tolist()
        columns = [shuffled(run.activations(layer, neuron), decides, rng) for neuron in neurons]
        layer_examples = select_all(
            np.stack(columns, axis=1),
            run.embeddings,
            parameters.k,
            reuse=parameters.reuse,
            neighbours=run.neighbours,
            rule=rule,
        )
        for place, examples in enumerate(layer_examples):
            yield Draw(start + place, neurons[place], columns[place], examples)


def first_labels(scores: Scores, texts: tuple[str, ...]) -> Iterator[Row]:
    """By labeler the first label, its score, and how well it fits: its correlation with the activations."""
    for labeler, values in scores.items():
        place = int(np.argmax(values))
        fit = float(scores[FIT][place])
        yield {"labeler": labeler, "label": texts[place], "score": float(values[place]), "fit": fit}
