"""Puts the parts of a `NeuronView` and of a `NeuronTable` together."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import mean_activation
from csp.method.labelers.registry import FIRST
from csp.method.states import SENTENCES, NeuronState, neuron_states
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.views import Histogram, NeuronTable, NeuronView, Pair
from csp.work.labels.rows import LabelRow, Labels, scored_texts
from csp.work.labels.scorer import TOP
from csp.work.provenance import Provenance, precomputed

BINS = 40

Address = tuple[str, int, ExampleOptions]


def neuron_view(
    run: Run, address: Address, pairs: tuple[Pair, ...], labels: Labels, provenance: Provenance
) -> NeuronView:
    """The view of one neuron from its pairs and labels."""
    layer, neuron, options = address
    activations = run.activations(layer, neuron)
    finite = activations[np.isfinite(activations)]
    states = neuron_states(activations, options.k)
    return NeuronView(
        run=run.name,
        layer=layer,
        neuron=neuron,
        options=options,
        states=states,
        sentences=tuple(filter(None, map(_sentence, states))),
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


def neuron_table(run: Run, layer: str, first_rows: Mapping[int, tuple[LabelRow, ...]]) -> NeuronTable:
    """The neurons of a layer; `first_rows` are the labels of each, best first."""
    stored = run.neurons(layer)
    if stored.empty:
        raise BadInputError(f"the run {run.name} has no table of neurons; make it again with `csp index`")
    firsts = [_first(first_rows.get(neuron, ())) for neuron in stored["neuron"]]
    frame = pd.DataFrame(
        {
            "neuron": stored["neuron"],
            "state": stored["state"],
            "sentence": [_sentence(NeuronState(state)) for state in stored["state"]],
            "mean": stored["mean"],
            "maximum": stored["max"],
            "share_firing": stored["share_firing"],
            "label": pd.Series([label for label, _, _ in firsts], stored.index, dtype=object),
            "score": np.array([score for _, score, _ in firsts], dtype=np.float64),
            "margin": np.array([margin for _, _, margin in firsts], dtype=np.float64),
            "top_images": [[int(image) for image in images] for images in stored["activating"]],
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


def _first(rows: tuple[LabelRow, ...]) -> tuple[str | None, float, float]:
    """The first label, its score, and by how much it is ahead of the next."""
    if not rows:
        return None, float("nan"), float("nan")
    between = margin(rows)
    return rows[0].label, rows[0].score, float("nan") if between is None else between


def _sentence(state: NeuronState) -> str:
    return "" if state is NeuronState.NORMAL else SENTENCES[state]
