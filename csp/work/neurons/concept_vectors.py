"""CSP's directions of all neurons of a layer, from the stored examples, at any gamma by vector arithmetic.

path = gamma_path(run, "layer4")      # reads every neuron's examples once: keep it
path.at(0.5)                          # unit rows, one a neuron; zero for one that never fires
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.method.examples.contrast_rule import parse_rule
from csp.method.examples.outlying import steady
from csp.method.examples.select import Examples, select_examples
from csp.method.labelers.projection import (
    LayerExamples,
    concept_vectors_between,
    gamma_ends,
    layer_gamma_ends,
)


@dataclass(frozen=True, eq=False)
class GammaPath:
    """The weighted mean residuals of every neuron at gamma 0 and 1."""

    start: Float32[np.ndarray, "c d"]
    end: Float32[np.ndarray, "c d"]

    def at(self, gamma: float) -> Float32[np.ndarray, "c d"]:
        """The concept vectors at one gamma; raises BadInputError outside 0..1."""
        return concept_vectors_between(self.start, self.end, gamma)


def gamma_path(run: Run, layer: str, neurons: Sequence[int] | None = None) -> GammaPath:
    """The path of these neurons, or of all of a layer; BadInputError when none was precomputed."""
    if neurons is None and parse_rule(run.manifest.parameters.contrast).neighbours == 1:
        return GammaPath(*layer_gamma_ends(_stored(run, layer), run.embeddings))
    ends = [gamma_ends(examples, run.embeddings) for examples in _examples(run, layer, neurons)]
    start, end = (np.stack(side).astype(np.float32) for side in zip(*ends, strict=True))
    return GammaPath(start, end)


def neurons_of(run: Run, layer: str) -> pd.Series:
    """The numbers of a layer's precomputed neurons; BadInputError when there are none."""
    neurons = run.neurons(layer)["neuron"]
    if neurons.empty:
        raise BadInputError(f"the run {run.name} has no table of neurons; make it again with `csp index`")
    return neurons


def _stored(run: Run, layer: str) -> LayerExamples:
    """The stored examples of all neurons of a layer."""
    neurons_of(run, layer)
    table = run.neurons(layer)
    activating, activation, contrastive, similarity = (
        np.concatenate(table[name].to_numpy())
        for name in ("activating", "activation", "contrastive", "similarity")
    )
    counts = table["activating"].str.len().to_numpy(np.int64)
    return LayerExamples(activating, activation, contrastive, similarity, counts)


def _examples(run: Run, layer: str, neurons: Sequence[int] | None) -> Iterable[Examples]:
    """The stored examples; selected anew where the rule asks for more neighbours than are stored."""
    given, known = run.manifest.parameters, neurons_of(run, layer).tolist()
    rule = parse_rule(given.contrast)
    if rule.neighbours == 1 and neurons is not None:
        stored = (run.examples(layer, neuron) for neuron in neurons)
        return [examples for examples in stored if examples is not None]
    return (
        select_examples(
            steady(run.activations(layer, neuron), run.outlying(layer)),
            run.embeddings,
            given.k,
            reuse=given.reuse,
            neighbours=run.neighbours,
            rule=rule,
        )
        for neuron in (known if neurons is None else neurons)
    )
