"""What is worked out once when a run is made: neighbours, then states, examples and labels of neurons."""

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.writer import RunWriter
from csp.method.examples.contrast_rule import PAPER_RULE, parse_rule
from csp.method.examples.neighbours import neighbour_pieces
from csp.method.examples.select import Examples, narrowed
from csp.method.examples.select_layer import select_all
from csp.method.labelers.consensus import RULE as WIDE
from csp.method.states import neuron_states
from csp.work.indexing.approximate import approximate_pieces
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
    labels: list[Row] = []
    stage = Stage(f"neurons of {layer}", draft.layer(layer).neurons, report)
    parameters = draft.manifest.parameters
    for activations in draft.activation_blocks(layer):
        chosen, wide = _all_examples(draft, activations)
        scored = scorer.layer_scores(layer, activations, chosen, parameters.gamma, wide) if scorer else None
        for examples, column in zip(chosen, activations.T, strict=True):
            neuron = len(neurons)
            neurons.append(_neuron_row(neuron, np.ascontiguousarray(column), examples, parameters.k))
            if scored:
                labels.extend(label_rows(neuron, best_texts(next(scored), texts)))
            stage.reached(neuron + 1)
    writer.write_neurons(layer, pd.DataFrame(neurons))
    if scorer:
        columns = ["neuron", "labeler", "rank", "label", "score"]
        writer.write_labels(layer, pd.DataFrame(labels, columns=columns))


def _all_examples(
    draft: Run, activations: Float32[np.ndarray, "n c"]
) -> tuple[list[Examples], list[Examples] | None]:
    """The examples of some neurons, and, if that comes with them, as the first labeler contrasts them:

    the paper's rule takes the nearest of the first labeler's contrastive examples.
    """
    parameters = draft.manifest.parameters
    rule = parse_rule(parameters.contrast)
    together = parameters.reuse and rule == PAPER_RULE
    found = select_all(
        activations,
        draft.embeddings,
        parameters.k,
        reuse=parameters.reuse,
        neighbours=draft.neighbours,
        rule=WIDE if together else rule,
    )
    return ([narrowed(one) for one in found], found) if together else (found, None)


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
