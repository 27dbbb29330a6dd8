"""What was measured of labels and neurons: one table that joins a run, and what each number in it means.

    faithfulness(explorer, "layer4")      # one row a neuron, NaN where nothing was measured; reads only
    NUMBERS["scs"].what                   # "How well likeness to the label foretells ..."

`csp evaluate` fills the table (`csp.work.evaluation`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from csp.keeping.additions import AddedTable, Additions
from csp.work.explorer import Explorer

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
NaN where there is no interval; `settings` says under which choice, and by what else than the usual."""


@dataclass(frozen=True)
class Number:
    """One measured number, for people."""

    title: str
    what: str
    """One line: what is it, from where to where, and which end is better?"""
    better: Literal["higher", "lower", "neither"]
    source: str
    """Who defined it, or defined what it is made of."""

    @property
    def help(self) -> str:
        """What it is and who defined it, in one line."""
        return f"{self.what} ({self.source})"


NUMBERS: dict[str, Number] = {
    "truth": Number(
        "Names the truth",
        "Whether the label names the attribute that the neuron follows on images held out. 1 yes, 0 no.",
        "higher",
        "AUROC of attributes: Hanley and McNeil 1982; this project",
    ),
    "truth_alone": Number(
        "Names the truth alone",
        "Whether the label names the attribute that the neuron follows, and nothing else. 1 yes, 0 no.",
        "higher",
        "AUROC of attributes: Hanley and McNeil 1982; this project",
    ),
    "scs": Number(
        "Simulation correlation",
        "How well likeness to the label foretells how strongly the neuron fires, on images held out. "
        "-1 to 1; higher is better, 0 is chance.",
        "higher",
        "arXiv 2604.22477",
    ),
    "cosy_auc": Number(
        "Generated images: AUC",
        "Chance that a picture made from the label activates the neuron more than a probe image. 0 to 1; "
        "higher is better, 0.5 is chance.",
        "higher",
        "arXiv 2405.20331",
    ),
    "cosy_mad": Number(
        "Generated images: difference",
        "How much more pictures made from the label activate the neuron than probe images do, in standard "
        "deviations. Higher is better, 0 is no difference.",
        "higher",
        "arXiv 2405.20331",
    ),
    "dma": Number(
        "Generated images: mean activation",
        "Mean activation on pictures made from the label, as a share of the neuron's largest. About 0 to 1; "
        "higher is better.",
        "higher",
        "arXiv 2604.22477",
    ),
    "cosy_max": Number(
        "Generated images: largest activation",
        "Largest activation on pictures made from the label, as a share of the neuron's largest. "
        "About 0 to 1; higher is better.",
        "higher",
        "arXiv 2604.22477",
    ),
    "causal_accuracy": Number(
        "Accuracy without it",
        "Change of the share of held-out images that the model calls rightly when the neuron is held at its "
        "mean. -1 to 1; below 0 the model needs the neuron.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "causal_probability": Number(
        "Probability without it",
        "Largest mean change of a class's probability on held-out images when the neuron is held at its "
        "mean. -1 to 1; below 0 the neuron speaks for that class.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "causal_examples": Number(
        "Probability without it, on its examples",
        "Largest mean change of a class's probability on the images that activate the neuron most when it "
        "is held at its mean. -1 to 1; below 0 the neuron speaks for that class.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "stability": Number(
        "Stability",
        "In which share of 200 resamplings of the examples the first label stays first. "
        "0 to 1; higher is surer.",
        "higher",
        "Efron 1979",
    ),
    "score": Number(
        "Score",
        "The label's score, with the middle 95 % over resamplings of the examples. Higher fits better; the "
        "range is the labeler's.",
        "higher",
        "bootstrap: Efron 1979",
    ),
    "clarity": Number(
        "Clarity",
        "How alike the activating images are: their mean cosine. About 0 to 1; higher is clearer.",
        "higher",
        "arXiv 2501.05398",
    ),
    "redundancy": Number(
        "Redundancy",
        "How alike this neuron is to the most similar other neuron of its layer: a cosine. "
        "About 0 to 1; lower is less redundant.",
        "lower",
        "arXiv 2501.05398",
    ),
    "polysemanticity": Number(
        "Polysemanticity",
        "How unlike the two groups are into which the activating images fall. About 0 to 1; "
        "higher: the neuron may stand for two things.",
        "lower",
        "arXiv 2501.05398",
    ),
}
"""Each number that a metric measures, in the order of the screens."""

OF_LABELS = ("scs", "cosy_auc", "cosy_mad", "dma", "cosy_max", "stability")
CAUSAL = ("causal_accuracy", "causal_probability", "causal_examples")
OF_NEURONS = ("clarity", "redundancy", "polysemanticity", *CAUSAL)


def faithfulness(explorer: Explorer, layer: str) -> pd.DataFrame:
    """One row a neuron: neuron, label, `OF_LABELS`, low, high, `OF_NEURONS`; NaN where not measured.

    The label is the first of the labeler that the app suggests, at the run's own parameters; numbers measured
    for another label than it has now are left out. `low` and `high` bound the simulation correlation.
    """
    name = explorer.first_labeler(layer)
    labels = explorer.first_labels(layer)
    frame = pd.DataFrame({"neuron": range(explorer.run.layer(layer).neurons)})
    frame["label"] = [labels.get(neuron) for neuron in frame["neuron"]]
    rows = read(explorer)
    rows = _latest(rows[rows["layer"] == layer], str(explorer.choice()))
    of_label = rows[rows["labeler"] == name]
    current = of_label["neuron"].map(labels) == of_label["label"]
    by_label, by_neuron = _wide(of_label[current]), _wide(rows[rows["labeler"] == ""])
    for column in OF_LABELS:
        frame[column] = _column(by_label, column, frame["neuron"])
    scs = of_label[current & (of_label["metric"] == "scs")].set_index("neuron")
    frame["low"], frame["high"] = (frame["neuron"].map(scs[end]).astype(float) for end in ("low", "high"))
    for column in OF_NEURONS:
        frame[column] = _column(by_neuron, column, frame["neuron"])
    return frame


def causal_by_class(explorer: Explorer, layer: str) -> pd.DataFrame:
    """What holding a neuron at its mean changes for each class: index neuron and class, columns `CAUSAL`.

    Empty where it was not measured, or the classes are too many; NaN for a class without held-out images.
    """
    rows = read(explorer)
    rows = _latest(rows[(rows["layer"] == layer) & (rows["labeler"] == "")], str(explorer.choice()))
    parts = rows["metric"].str.split("/", n=1)
    rows = rows.assign(number=parts.str[0], of_class=parts.str[1]).dropna(subset="of_class")
    wide = rows.pivot(index=["neuron", "of_class"], columns="number", values="value")
    return wide.reindex(columns=list(CAUSAL))


def read(explorer: Explorer) -> pd.DataFrame:
    """All rows that were measured for this run."""
    return Additions(explorer.run).read(FAITHFULNESS)


def version(explorer: Explorer) -> tuple[str, ...]:
    """Changes whenever something is measured: what a page keys its cache with."""
    return Additions(explorer.run).version(FAITHFULNESS)


def _latest(rows: pd.DataFrame, choice: str) -> pd.DataFrame:
    """The rows under a choice; of a number measured with several image generators, the newest."""
    under = rows[rows["settings"].str.split(" generator=", n=1).str[0] == choice]
    return under.sort_values("when", kind="stable").drop_duplicates(
        ["neuron", "labeler", "label", "metric"], keep="last"
    )


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.pivot(index="neuron", columns="metric", values="value")


def _column(wide: pd.DataFrame, name: str, neurons: pd.Series) -> np.ndarray:
    if name not in wide:
        return np.full(len(neurons), np.nan)
    return neurons.map(wide[name]).to_numpy(dtype=np.float64)
