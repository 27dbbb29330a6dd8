"""What the same layer says with random weights: what it responds to by nature, before anything is learnt.

measure_untrained(explorer, layers=["layer4"])      # one pass of all images through the model; kept
control = untrained_control(explorer, "layer4")     # None: not measured

Shuffled neurons (`control.py`) have nothing to find; untrained ones do respond to colour and texture, and a
label that names these fits them. So they are no noise, and no label is claimed or not claimed by them: they
say which labels, and how many of them, the architecture gives without having learnt anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.method.control import dealt_neurons
from csp.work.control.control import COLUMNS, CONTROL, LayerControl
from csp.work.control.draws import DRAWS, first_labels
from csp.work.explorer.explorer import Explorer
from csp.work.labels.layer_examples import layer_examples
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, run_target, untrainable
from csp.work.progress import Report, Stage, silent

UNTRAINED = AddedTable("control-random-weights", CONTROL.columns, CONTROL.key)
"""The first label under every labeler of neurons of the layer with random weights; `neuron` is which."""

Columns = Float32[np.ndarray, "n d"]
"""The activations of some neurons over all images."""


def untrained_control(explorer: Explorer, layer: str) -> LayerControl | None:
    """The first labels of the layer with random weights; None where they were not measured."""
    rows = Additions(explorer.run).read(UNTRAINED)
    rows = rows[rows["layer"] == layer]
    return None if rows.empty else LayerControl(rows[list(COLUMNS)])


def measure_untrained(
    explorer: Explorer,
    report: Report = silent,
    *,
    layers: Sequence[str] | None = None,
    target: RunTarget | None = None,
    in_place: bool = False,
) -> None:
    """Label 256 neurons of each layer (None: all) with random weights, and keep that with the run.

    The latents of an SAE are left out: it learnt on the layer as trained. What is kept is not measured
    again. Raises BadInputError for a run without a vocabulary, and for weights that overflow;
    UnavailableError where the model or pictures are missing, or its weights can't be drawn anew.
    """
    run = explorer.run
    if explorer.scorer is None:
        raise BadInputError(f"the run {run.name} has no vocabulary, so random weights have no labels either")
    missing = [
        layer
        for layer in layers or run.layers
        if run.layer(layer).sae is None and untrained_control(explorer, layer) is None
    ]
    if not missing:
        return
    additions = Additions(run, in_place=in_place)
    additions.expect_room()
    chosen = {layer: _chosen(run, layer) for layer in missing}
    activations = _activations(run, target or run_target(run), chosen, report)
    for layer in missing:
        rows = _rows(explorer, layer, chosen[layer], activations.pop(layer), report)
        additions.append(UNTRAINED, pd.DataFrame(rows, columns=list(COLUMNS)).assign(layer=layer))
    additions.compact(UNTRAINED)


def _chosen(run: Run, layer: str) -> Int64[np.ndarray, " d"]:
    """Which neurons are looked at: drawn by chance, none twice."""
    neurons = range(run.layer(layer).neurons)
    rng = np.random.default_rng([run.manifest.parameters.seed, run.layers.index(layer)])
    return dealt_neurons(neurons, min(DRAWS, len(neurons)), rng)


def _activations(
    run: Run, target: RunTarget, chosen: Mapping[str, Int64[np.ndarray, " d"]], report: Report
) -> dict[str, Columns]:
    """One pass of all images through the model with random weights."""
    with target.lock:
        model = untrainable(target).untrained(run.manifest.parameters.seed)
    images, step = run.manifest.images, run.manifest.parameters.batch_size
    inputs, stage = ModelInputs(run, model), Stage("images, random weights", images, report)
    found = {layer: np.empty((images, len(neurons)), np.float32) for layer, neurons in chosen.items()}
    for start in range(0, images, step):
        rows = range(start, min(start + step, images))
        output = model.run(inputs.batch(rows), list(chosen))
        for layer, neurons in chosen.items():
            found[layer][rows] = output.activations[layer][:, neurons]
        stage.reached(rows.stop)
    for layer, values in found.items():
        if not np.isfinite(values).all():
            raise BadInputError(
                f"layer {layer} of {model.name} overflows with random weights, so there is nothing to compare"
            )
    return found


def _rows(
    explorer: Explorer, layer: str, neurons: Int64[np.ndarray, " d"], activations: Columns, report: Report
) -> list[dict[str, Any]]:
    run, parameters, scorer = explorer.run, explorer.run.manifest.parameters, explorer.scorer
    assert scorer is not None, "asked of runs with a vocabulary"
    scorer, texts = scorer.of_other(layer, activations), run_vocabulary(run).texts
    found = layer_examples(run, activations)
    stage, rows = Stage(f"random weights of {layer}", len(neurons), report), list[dict[str, Any]]()
    scored = scorer.layer_scores(layer, activations, found.chosen, parameters.gamma, found.wide)
    for draw, (neuron, scores) in enumerate(zip(neurons.tolist(), scored, strict=True)):
        rows += [{"draw": draw, "neuron": neuron, **row} for row in first_labels(scores, texts)]
        stage.reached(draw + 1)
    return rows
