"""Labels of all labelers for a run that was made before some of them existed."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from csp.keeping.run_folder.added_tables import Additions
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import measure_chances
from csp.work.labels.stored import LATER, label_rows
from csp.work.progress import Report, Stage, silent

BATCH = 64


def label_all(
    explorer: Explorer,
    report: Report = silent,
    *,
    neurons: Mapping[str, Collection[int]] | None = None,
    batch: int = BATCH,
    in_place: bool = False,
) -> None:
    """Add the labels that the run lacks, batch by batch; a stopped job goes on where it was.

    `neurons` are those, by layer, that are looked at; None: all. With the last of the run come the chances
    that the first ones are true. Nothing happens to a run without a vocabulary, or whose labels are complete.
    """
    if explorer.run.text_embeddings is None:
        return
    lacking = [
        (layer, neuron)
        for layer in explorer.run.layers
        for neuron in explorer.stored_labels.incomplete(layer)
    ]
    asked = lacking if neurons is None else [(layer, one) for layer, some in neurons.items() for one in some]
    wanted = set(asked)
    missing = [one for one in lacking if one in wanted]
    additions = Additions(explorer.run, in_place=in_place)
    stage = Stage("labels", len(missing), report)
    for start in range(0, len(missing), batch):
        part = missing[start : start + batch]
        additions.append(LATER, _rows(explorer, part))
        stage.reached(start + len(part))
    additions.compact(LATER)
    if len(missing) == len(lacking):
        measure_chances(explorer.run, report, in_place=in_place)


def _rows(explorer: Explorer, neurons: Sequence[tuple[str, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"layer": layer, **row}
            for layer, neuron in neurons
            for row in label_rows(neuron, explorer.labels(layer, neuron)[0])
        ]
    )
