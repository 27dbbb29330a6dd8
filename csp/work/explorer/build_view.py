"""Puts the parts of a `NeuronView` and of a `NeuronTable` together."""

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import mean_activation
from csp.method.states import NeuronState, neuron_states, sentence
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.views import Histogram, NeuronTable, NeuronView, Pair
from csp.work.labels.rows import LabelRow, Labels, scored_texts
from csp.work.labels.scorer import TOP
from csp.work.labels.stored import LabelColumns
from csp.work.provenance import Provenance, precomputed

BINS = 40

Address = tuple[str, int, ExampleOptions]


def neuron_view(
    run: Run, address: Address, pairs: tuple[Pair, ...], labels: Labels, first: str, provenance: Provenance
) -> NeuronView:
    """The view of one neuron from its pairs and labels; `first` is the labeler that orders the texts."""
    layer, neuron, options = address
    activations = run.activations(layer, neuron)
    finite = activations[np.isfinite(activations)]
    states, firing = neuron_states(activations, options.k), int(np.count_nonzero(activations > 0))
    return NeuronView(
        run=run.name,
        layer=layer,
        neuron=neuron,
        options=options,
        states=states,
        sentences=tuple(sentence(state, firing) for state in states if state is not NeuronState.NORMAL),
        pairs=pairs,
        labels={name: tuple(row for row in rows if row.rank <= TOP) for name, rows in labels.items()},
        scores=scored_texts(labels, first),
        margins={name: margin(rows) for name, rows in labels.items()},
        histogram=histogram(finite),
        mean=mean_activation(activations),
        maximum=float(finite.max()) if finite.size else float("nan"),
        share_firing=firing / len(activations),
        firing=firing,
        provenance=provenance,
    )


def neuron_table(run: Run, layer: str, firsts: LabelColumns) -> NeuronTable:
    """The neurons of a layer; `firsts` are the labels of each, best first."""
    stored = run.neurons(layer)
    if stored.empty:
        raise BadInputError(f"the run {run.name} has no table of neurons; make it again with `csp index`")
    codes, scores = firsts.wide(stored["neuron"].to_numpy(np.int64), places=2)
    labels = np.array((*firsts.texts, None), dtype=object)[codes[:, 0]]
    firing = (stored["share_firing"] * run.manifest.images).round().astype(int)
    frame = pd.DataFrame(
        {
            "neuron": stored["neuron"],
            "state": stored["state"],
            "sentence": [*map(_sentence, stored["state"], firing)],
            "mean": stored["mean"],
            "maximum": stored["max"],
            "share_firing": stored["share_firing"],
            "label": pd.Series(labels, stored.index, dtype=object),
            "score": scores[:, 0],
            "margin": scores[:, 0] - scores[:, 1],
            "top_images": stored["activating"],
        }
    )
    return NeuronTable(layer, frame, precomputed(run.manifest))


def histogram(values: Float32[np.ndarray, " n"], bins: int = BINS) -> Histogram:
    """Equal bins from the smallest to the largest finite activation."""
    counts, edges = np.histogram(values.astype(np.float64), bins)
    return Histogram(edges, counts)


def margin(rows: tuple[LabelRow, ...]) -> float | None:
    """First score minus second; None with fewer than two texts."""
    return rows[0].score - rows[1].score if len(rows) > 1 else None


def _sentence(state: str, firing: int) -> str:
    return "" if state == NeuronState.NORMAL else sentence(NeuronState(state), firing)
