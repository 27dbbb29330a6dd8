"""Puts the parts of a `NeuronView` together."""

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.method.examples.select import mean_activation
from csp.method.labelers.registry import FIRST
from csp.method.states import SENTENCES, NeuronState, neuron_states
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.views import Histogram, NeuronView, Pair
from csp.work.labels.rows import LabelRow, Labels, scored_texts
from csp.work.labels.scorer import TOP
from csp.work.provenance import Provenance

BINS = 40

Address = tuple[str, int, ExampleOptions]


def neuron_view(
    run: Run, address: Address, pairs: tuple[Pair, ...], labels: Labels, provenance: Provenance
) -> NeuronView:
    """The view of one neuron from its pairs and labels."""
    layer, neuron, choice = address
    activations = run.activations(layer, neuron)
    finite = activations[np.isfinite(activations)]
    states = neuron_states(activations, choice.k)
    return NeuronView(
        run=run.name,
        layer=layer,
        neuron=neuron,
        k=choice.k,
        gamma=choice.gamma,
        reuse=choice.reuse,
        contrast=str(choice.contrast),
        states=states,
        sentences=tuple(SENTENCES[state] for state in states if state is not NeuronState.NORMAL),
        pairs=pairs,
        labels={name: tuple(row for row in rows if row.rank <= TOP) for name, rows in labels.items()},
        scores=scored_texts(labels, FIRST if FIRST in labels else next(iter(labels), FIRST)),
        margins={name: margin(rows) for name, rows in labels.items()},
        histogram=histogram(finite),
        mean=mean_activation(activations),
        maximum=float(finite.max()) if finite.size else float("nan"),
        share_firing=float(np.mean(activations > 0)),
        provenance=provenance,
    )


def histogram(values: Float32[np.ndarray, " n"], bins: int = BINS) -> Histogram:
    """Equal bins from the smallest to the largest finite activation."""
    counts, edges = np.histogram(values.astype(np.float64), bins)
    return Histogram(edges, counts)


def margin(rows: tuple[LabelRow, ...]) -> float | None:
    """First score minus second; None with fewer than two texts."""
    return rows[0].score - rows[1].score if len(rows) > 1 else None
