"""What was measured of labels and neurons: one table that joins a run, and what each number in it means.

    faithfulness(explorer, "layer4")      # one row a neuron, NaN where nothing was measured; reads only
    NUMBERS["scs"].what                   # "How well likeness to the label foretells ..."

`csp evaluate` fills the table (`csp.work.metrics.evaluate`).
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.method.labelers.bootstrap import STABLE
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.metrics.registry import NUMBERS, class_numbers, label_numbers, neuron_numbers
from csp.work.metrics.settings import Settings
from csp.work.metrics.stability import LabelStability

FAITHFULNESS = AddedTable(
    "faithfulness",
    {
        "layer": pa.string(),
        "neuron": pa.int64(),
        "labeler": pa.string(),
        "label": pa.string(),
        "metric": pa.string(),
        "settings": pa.string(),
        "value": pa.float32(),
        "low": pa.float32(),
        "high": pa.float32(),
        "by": pa.string(),
        "when": pa.timestamp("s", tz="UTC"),
    },
    ("layer", "neuron", "labeler", "metric", "settings"),
)
"""One number a row. `labeler` and `label` are empty for numbers of the neuron itself; `low` and `high` are
NaN where there is no interval; `settings` holds `Settings` as JSON."""


def faithfulness(explorer: Explorer, layer: str) -> pd.DataFrame:
    """One row a neuron: neuron, label, `label_numbers`, `neuron_numbers`; NaN where not measured.

    The label is the first of the labeler that the app suggests, at the run's own parameters; numbers measured
    for another label than it has now are left out. Numbers with an interval have `NAME_low` and `NAME_high`.
    """
    labeler = explorer.stored_labels.first_labeler(layer)
    labels = explorer.stored_labels.first_labels(layer)
    frame = pd.DataFrame({"neuron": range(explorer.run.layer(layer).neurons)})
    frame["label"] = [labels.get(neuron) for neuron in frame["neuron"]]
    rows = read(Additions(explorer.run))
    rows = _latest(rows[rows["layer"] == layer], explorer.options())
    of_label = rows[rows["labeler"] == labeler]
    current = of_label["neuron"].map(labels) == of_label["label"]
    by_label, by_neuron = _wide(of_label[current]), _wide(rows[rows["labeler"] == ""])
    for name in label_numbers():
        frame[name] = _column(by_label, name, frame["neuron"])
    for name in neuron_numbers():
        frame[name] = _column(by_neuron, name, frame["neuron"])
    for name in (*label_numbers(), *neuron_numbers()):
        if NUMBERS[name].interval:
            own = of_label[current] if name in label_numbers() else rows[rows["labeler"] == ""]
            own = own[own["metric"] == name].set_index("neuron")
            for end in ("low", "high"):
                frame[f"{name}_{end}"] = frame["neuron"].map(own[end]).astype(float)
    return frame


def stable_labels(explorer: Explorer, layer: str) -> dict[int, LabelStability]:
    """By neuron the stability of its first label, where it was measured and found stable.

    Of the labeler that the app suggests, at the run's own parameters, for the score that the label has now.
    What takes the place of an unstable label is not in the table: `label_stability` tells of these.
    """
    firsts = explorer.stored_labels.first_rows(layer)
    now = pd.DataFrame(
        {
            "label_now": explorer.stored_labels.first_labels(layer),
            "score_now": pd.Series(firsts.scores[firsts.starts[:-1]], firsts.neurons),
        }
    )
    rows = read(Additions(explorer.run))
    labeler = explorer.stored_labels.first_labeler(layer)
    rows = _latest(rows[(rows["layer"] == layer) & (rows["labeler"] == labeler)], explorer.options())
    share, score = (rows[rows["metric"] == name].set_index("neuron") for name in ("stability", "score"))
    found = score.join(now).join(share["value"].rename("share"))
    found = found[(found["label"] == found["label_now"]) & (found["share"] >= STABLE)]
    found = found[np.isclose(found["value"], found["score_now"], atol=1e-4)]
    return {
        int(neuron): LabelStability(label, round(share, 6), None, low, high)
        for neuron, label, share, low, high in found[["label", "share", "low", "high"]].itertuples(name=None)
    }


def causal_by_class(explorer: Explorer, layer: str) -> pd.DataFrame:
    """What holding a neuron at its mean changes for each class: by neuron and class, `class_numbers`.

    Empty where it was not measured, or the classes are too many; NaN for a class without held-out images.
    """
    rows = read(Additions(explorer.run))
    rows = _latest(rows[(rows["layer"] == layer) & (rows["labeler"] == "")], explorer.options())
    parts = rows["metric"].str.split("/", n=1)
    rows = rows.assign(number=parts.str[0], of_class=parts.str[1]).dropna(subset="of_class")
    wide = rows.pivot(index=["neuron", "of_class"], columns="number", values="value")
    return wide.reindex(columns=list(class_numbers()))


def read(additions: Additions) -> pd.DataFrame:
    """All rows that were measured for a run; `settings` is JSON also where the table is older."""
    rows = additions.read(FAITHFULNESS)
    known = {text: Settings.from_column(text) for text in rows["settings"].unique()}
    columns = {text: settings.column if settings else text for text, settings in known.items()}
    rows = rows.assign(settings=rows["settings"].map(columns).astype(object))
    return rows.drop_duplicates(list(FAITHFULNESS.key), keep="last", ignore_index=True)


def version(explorer: Explorer) -> tuple[str, ...]:
    """Changes whenever something is measured: what a page keys its cache with."""
    return Additions(explorer.run).version(FAITHFULNESS)


def _latest(rows: pd.DataFrame, options: ExampleOptions) -> pd.DataFrame:
    """The usual rows under these options; of a number made with one thing and another, the newest."""
    known = {text: Settings.from_column(text) for text in rows["settings"].unique()}
    usual = [text for text, one in known.items() if one and one.options == options and not one.instead]
    under = rows[rows["settings"].isin(usual)]
    return under.sort_values("when", kind="stable").drop_duplicates(
        ["neuron", "labeler", "label", "metric"], keep="last"
    )


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.pivot(index="neuron", columns="metric", values="value")


def _column(wide: pd.DataFrame, name: str, neurons: pd.Series) -> np.ndarray:
    if name not in wide:
        return np.full(len(neurons), np.nan)
    return neurons.map(wide[name]).to_numpy(dtype=np.float64)
