"""Labels of all labelers for a run that was made before some of them existed."""

from collections.abc import Sequence

import pandas as pd

from csp.keeping.run_folder.added_tables import Additions
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import measure_chances
from csp.work.labels.stored import LATER, label_rows
from csp.work.progress import Report, Stage, silent

BATCH = 64


def label_all(
    explorer: Explorer, report: Report = silent, *, batch: int = BATCH, in_place: bool = False
) -> None:
    """Add the labels that the run lacks, batch by batch; a stopped job goes on where it was.

    With them come the chances that the first ones are true. Nothing happens to a run without a vocabulary, or
    whose labels are complete.
    """
    if explorer.run.text_embeddings is None:
        return
    missing = [
        (layer, neuron)
        for layer in explorer.run.layers
        for neuron in range(explorer.run.layer(layer).neurons)
        if explorer.stored_labels.of(layer, neuron) is None
    ]
    additions = Additions(explorer.run, in_place=in_place)
    stage = Stage("labels", len(missing), report)
    for start in range(0, len(missing), batch):
        part = missing[start : start + batch]
        additions.append(LATER, _rows(explorer, part))
        stage.reached(start + len(part))
    additions.compact(LATER)
    measure_chances(explorer.run, report, in_place=in_place)


def _rows(explorer: Explorer, neurons: Sequence[tuple[str, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"layer": layer, **row}
            for layer, neuron in neurons
            for row in label_rows(neuron, explorer.labels(layer, neuron)[0])
        ]
    )
