"""How likely each neuron's first label is to be true (`csp.method.chance`), kept with the run.

label_chances(run, "layer4")                # by neuron; NaN: no label, or not worked out yet
"""

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.work.labels.stored import StoredLabels

CHANCES = AddedTable(
    "chances",
    {"layer": pa.string(), "neuron": pa.int64(), "label": pa.string(), "chance": pa.float64()},
    ("layer", "neuron"),
)
"""Of each labelled neuron the label that was judged, and the chance that it is true."""


def label_chances(run: Run, layer: str) -> Float64[np.ndarray, " c"]:
    """By neuron of the layer the chance that its first label is true, in [0, 1].

    NaN where there is no label, where it can't be said, and where it was said of another label than the
    one that comes first today.
    """
    stored = Additions(run).read(CHANCES)
    stored = stored[stored["layer"] == layer]
    firsts = StoredLabels(run).first_labels(layer)
    found = np.full(run.layer(layer).neurons, np.nan)
    rows = zip(stored["neuron"].tolist(), stored["label"].tolist(), stored["chance"].tolist(), strict=True)
    for neuron, label, chance in rows:
        if firsts.get(neuron) == label:
            found[neuron] = chance
    return found
