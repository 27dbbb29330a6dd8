"""What is worked out once when a run is made: neighbours, then states, examples and labels of neurons."""

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import LABELS
from csp.keeping.run_folder.writer import RunWriter
from csp.method.examples.neighbours import neighbour_pieces
from csp.method.examples.select import Examples
from csp.method.states import neuron_states
from csp.work.indexing.approximate import approximate_pieces
from csp.work.labels.layer_examples import layer_examples
from csp.work.labels.scorer import Scorer, best_texts, scorer_of
from csp.work.labels.stored import label_rows
from csp.work.progress import Report, Stage, silent

Row = dict[str, object]


def precompute(writer: RunWriter, draft: Run, report: Report = silent) -> None:
    """Write into an unpublished run what the explorer reads; what an earlier job wrote is kept."""
    if not writer.written("neighbours"):
        _find_neighbours(writer, draft, report)
    scorer = None
    if draft.text_embeddings is not None:
        scorer = scorer_of(draft, draft.text_embeddings)
    for index, layer in enumerate(draft.layers):
        last_part = f"labels-{index}" if scorer else f"neurons-{index}"
        if not writer.written(last_part):
            _precompute_layer(writer, draft, layer, scorer, report)


def _find_neighbours(writer: RunWriter, draft: Run, report: Report) -> None:
    """Each image's nearest, piece by piece: a job that is killed loses one piece."""
    images, parameters, first = draft.manifest.images, draft.manifest.parameters, writer.next_neighbours
    if images > parameters.exact_up_to:
        pieces = approximate_pieces(writer, draft, report)
    else:
        pieces = neighbour_pieces(draft.embeddings, parameters.neighbours, first)
    stage = Stage("neighbours", images, report, start=first)
    for piece in pieces:
        writer.add_neighbours(piece)
        stage.reached(writer.next_neighbours)
    writer.gather_neighbours()


def _precompute_layer(
    writer: RunWriter, draft: Run, layer: str, scorer: Scorer | None, report: Report
) -> None:
    texts = tuple(draft.vocabulary["text"])
    neurons: list[Row] = []
    labels: list[pd.DataFrame] = []
    stage = Stage(f"neurons of {layer}", draft.layer(layer).neurons, report)
    parameters = draft.manifest.parameters
    for activations in draft.activation_blocks(layer):
        found = layer_examples(draft, activations)
        scored = scorer and scorer.layer_scores(
            layer, activations, found.chosen, parameters.gamma, found.wide
        )
        rows: list[Row] = []
        for examples, column in zip(found.chosen, activations.T, strict=True):
            neuron = len(neurons)
            neurons.append(_neuron_row(neuron, np.ascontiguousarray(column), examples, parameters.k))
            if scored:
                rows.extend(label_rows(neuron, best_texts(next(scored), texts)))
            stage.reached(neuron + 1)
        if rows:
            labels.append(pd.DataFrame(rows, columns=list(LABELS)))
    writer.write_neurons(layer, pd.DataFrame(neurons))
    if scorer:
        writer.write_labels(
            layer, pd.concat(labels or [pd.DataFrame(columns=list(LABELS))], ignore_index=True)
        )


def _neuron_row(neuron: int, activations: Float32[np.ndarray, " n"], examples: Examples, k: int) -> Row:
    finite = activations[np.isfinite(activations)]
    return {
        "neuron": neuron,
        "state": neuron_states(activations, k)[0].value,
        "mean": examples.mean_activation,
        "max": float(finite.max()) if finite.size else float("nan"),
        "share_firing": float(np.mean(activations > 0)),
        "activating": examples.activating,
        "activation": examples.activation,
        "contrastive": examples.contrastive,
        "contrastive_activation": examples.contrastive_activation,
        "similarity": examples.similarity,
    }
