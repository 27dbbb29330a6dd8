"""What is worked out once when a run is made: neighbours, then states, examples and labels of neurons."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32

from csp.errors import UnavailableError
from csp.extras import optional
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import LABELS
from csp.keeping.run_folder.writer import RunWriter
from csp.method.examples.neighbours import Neighbours, neighbour_pieces
from csp.method.examples.outlying import steady
from csp.method.examples.select import Examples
from csp.method.states import neuron_states
from csp.work.indexing.approximate import approximate_pieces
from csp.work.labels.chance import Contrasts
from csp.work.labels.layer_examples import layer_examples
from csp.work.labels.scorer import Scorer, best_texts, scorer_of
from csp.work.labels.stored import label_rows
from csp.work.progress import Report, Stage, silent

Row = dict[str, object]

GPU_FROM = 20_000
"""From so many images on a graphics card is asked for: fewer are compared before torch is loaded."""
DEVICES = Path("/dev")
DRIVERS = ("nvidia*", "nvgpu*", "nvhost*", "kfd", "dxg")
"""What drivers of graphics cards put there: NVIDIA's of cards and of boards, AMD's, that of WSL."""


def precompute(writer: RunWriter, draft: Run, report: Report = silent) -> dict[str, Contrasts]:
    """Write into an unpublished run what the explorer reads; what an earlier job wrote is kept.

    Gives by layer that was labelled now what spares `measure_chances` half of its work.
    """
    if not writer.written("neighbours"):
        _find_neighbours(writer, draft, report)
    scorer = None
    if draft.text_embeddings is not None:
        scorer = scorer_of(draft, draft.text_embeddings)
    contrasts: dict[str, Contrasts] = {}
    for index, layer in enumerate(draft.layers):
        last_part = f"labels-{index}" if scorer else f"neurons-{index}"
        if not writer.written(last_part):
            contrasts[layer] = _precompute_layer(writer, draft, layer, scorer, report)
    return contrasts


def _has_driver() -> bool:
    """Whether torch may find a graphics card, as far as that can be told without it."""
    return sys.platform == "win32" or any(True for name in DRIVERS for _ in DEVICES.glob(name))


def _find_neighbours(writer: RunWriter, draft: Run, report: Report) -> None:
    """Each image's nearest, piece by piece: a job that is killed loses one piece."""
    images, parameters, first = draft.manifest.images, draft.manifest.parameters, writer.next_neighbours
    stage = Stage("neighbours", images, report, start=first)
    with writer.piles() as new_pile:
        if images > parameters.exact_up_to:
            pieces = approximate_pieces(writer, draft, report)
        elif by_gpu := _by_gpu(images):
            pieces = by_gpu(draft.embeddings, parameters.neighbours, first)
        else:
            pieces = neighbour_pieces(draft.embeddings, parameters.neighbours, first, new_pile)
        for piece in pieces:
            writer.add_neighbours(piece)
            stage.reached(writer.next_neighbours)
    writer.gather_neighbours()


def _by_gpu(images: int) -> Callable[..., Iterator[Neighbours]] | None:
    """What finds neighbours by a graphics card, where there is one and it is worth its start."""
    if images < GPU_FROM or not _has_driver():
        return None
    try:
        with optional():
            from csp.world.gpu import has_gpu, neighbour_pieces_by_gpu  # takes seconds and 0.25 GB
    except UnavailableError:  # an import needs no torch
        return None
    return neighbour_pieces_by_gpu if has_gpu() else None


def _precompute_layer(
    writer: RunWriter, draft: Run, layer: str, scorer: Scorer | None, report: Report
) -> Contrasts:
    """Gives no rows without a scorer."""
    texts = tuple(draft.vocabulary["text"])
    neurons: list[Row] = []
    labels: list[pd.DataFrame] = []
    contrasts: list[Float32[np.ndarray, " d"]] = []
    stage = Stage(f"neurons of {layer}", draft.layer(layer).neurons, report)
    parameters = draft.manifest.parameters
    outlying = draft.outlying(layer)
    for activations in draft.activation_blocks(layer):
        found = layer_examples(draft, steady(activations, outlying))
        known = scorer and scorer.layer_evidence(layer, activations, found.chosen, found.wide)
        rows: list[Row] = []
        for examples, column in zip(found.chosen, activations.T, strict=True):
            neuron = len(neurons)
            column = np.ascontiguousarray(column)
            neurons.append(_neuron_row(neuron, column, outlying, examples, parameters.k))
            if scorer and known:
                evidence = next(known)
                assert evidence.contrast is not None, "of many neurons it is worked out"
                contrasts.append(evidence.contrast)
                scores = scorer.scores_of(evidence, parameters.gamma)
                rows.extend(label_rows(neuron, best_texts(scores, texts)))
            stage.reached(neuron + 1)
        if rows:
            labels.append(pd.DataFrame(rows, columns=list(LABELS)))
    writer.write_neurons(layer, pd.DataFrame(neurons))
    if scorer:
        writer.write_labels(
            layer, pd.concat(labels or [pd.DataFrame(columns=list(LABELS))], ignore_index=True)
        )
    return np.stack(contrasts) if contrasts else np.empty((0, draft.embeddings.shape[1]), np.float32)


def _neuron_row(
    neuron: int,
    activations: Float32[np.ndarray, " n"],
    outlying: Bool[np.ndarray, " n"],
    examples: Examples,
    k: int,
) -> Row:
    finite = activations[np.isfinite(activations) & ~outlying]
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
