"""Towards which class each neuron of a layer pushes: measured with the model, or told from the stored run.

`csp index` and `csp attribute RUN` measure it (`csp/work/attribution/measure.py`) and keep it with the run.
Without that: where the layer's pooled output feeds the last linear layer, the head's weights follow from the
stored activations and probabilities, and the attribution is exact. Elsewhere it is not known until it is
measured: which class a neuron goes with says too little of which one it pushes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float64, Int64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.method.attribution import attribution, centred_logits, deviations
from csp.work.attribution.told_head import told_weights
from csp.work.explorer.explorer import Explorer
from csp.work.provenance import Provenance, answered, computed_by

How = Literal["exact", "slope"]

HOW: dict[How, str] = {
    "exact": (
        "how much the class gains on the other classes (in logits) when the neuron fires one standard "
        "deviation more strongly"
    ),
    "slope": (
        "how much the class gains on the other classes (in logits) when the neuron fires one standard "
        "deviation more strongly all over the image, by the model's slope there"
    ),
}
"""What the number means, by how it was found."""

CLASS_ATTRIBUTION = AddedTable(
    "class-push",
    {
        "layer": pa.string(),
        "neuron": pa.int64(),
        "push": pa.list_(pa.float32()),
        "how": pa.string(),
        "images": pa.int64(),
        "measured": pa.timestamp("s", tz="UTC"),
        "csp_version": pa.string(),
    },
    ("layer", "neuron"),
)
"""Measured attribution: `push` holds one number a class, `images` over how many a slope was averaged."""
IMAGES = 96
"""Over how many probe images, spread evenly, a slope is averaged."""


@dataclass(frozen=True)
class ClassAttribution:
    """How much every neuron of a layer pushes towards every class."""

    layer: str
    how: How
    table: pd.DataFrame
    """One row a neuron (index), one column a class: above 0 it speaks for the class, below against it."""
    provenance: Provenance

    @property
    def most(self) -> pd.Series:
        """By neuron: the class that it pushes towards most; None for a neuron that pushes towards none."""
        towards = self.table.idxmax(axis=1).astype(object)
        return towards.where(self.table.max(axis=1) > 0, None)

    def of(self, neuron: int) -> dict[str, float]:
        """By class, the one that it pushes towards most first."""
        values = dict(zip(self.table.columns, self.table.to_numpy()[neuron].tolist(), strict=True))
        return dict(sorted(values.items(), key=lambda one: -one[1]))


def class_attribution(explorer: Explorer, layer: str) -> ClassAttribution | None:
    """The attribution in a layer; None when the run has no class probabilities, or it was not measured."""
    run = explorer.run
    if not has_classes(run):
        return None
    if (kept := _measured(run, layer)) is not None:
        return kept
    probabilities = run.probabilities
    assert probabilities is not None  # `has_classes`

    def compute() -> list[list[float]] | None:
        varying = sum(_varying(block) for block in run.activation_blocks(layer))
        if varying >= run.manifest.images:
            return None  # too many for a head to be told
        weights = told_weights(run, layer, centred_logits(probabilities))
        if weights is None:
            return None
        values: list[list[float]] = attribution(layer_deviations(run, layer), weights).round(6).tolist()
        return values

    found = explorer.cache.get_or_compute({"layer": layer}, compute)
    if found.value is None:
        return None
    table = pd.DataFrame(found.value, columns=list(run.manifest.classes))
    return ClassAttribution(layer, "exact", table, answered(found))


def has_classes(run: Run) -> bool:
    """Whether there are classes that neurons could push towards."""
    return len(run.manifest.classes) > 1 and run.probabilities is not None


def measured(run: Run, layer: str, additions: Additions) -> pd.DataFrame:
    """What was measured in a layer, a row a neuron; empty where it was not.

    A slope may rest on fewer images than `images_of`: then it was stopped on the way.
    """
    rows = additions.read(CLASS_ATTRIBUTION)
    rows = rows[(rows["layer"] == layer) & rows["how"].isin(list(HOW))].sort_values("neuron")
    whole = rows["neuron"].tolist() == list(range(run.layer(layer).neurons))
    return rows if whole and rows["images"].nunique() == 1 else rows[:0]


def layer_deviations(run: Run, layer: str) -> Float64[np.ndarray, " c"]:
    """The standard deviation of each neuron of a layer, which need not fit in memory."""
    return run.each_neuron(layer, deviations)


def images_of(run: Run) -> Int64[np.ndarray, " m"]:
    """The probe images over which a slope is averaged."""
    return np.unique(np.linspace(0, run.manifest.images - 1, IMAGES).astype(np.int64))


def finished(run: Run, rows: pd.DataFrame) -> bool:
    """Whether these rows of `measured` were measured to the end."""
    return not rows.empty and (
        rows["how"].iloc[0] == "exact" or rows["images"].iloc[0] == len(images_of(run))
    )


def _measured(run: Run, layer: str) -> ClassAttribution | None:
    rows = measured(run, layer, Additions(run))
    if not finished(run, rows):
        return None
    table = pd.DataFrame(
        np.stack(rows["push"].tolist()).astype(np.float64), columns=list(run.manifest.classes)
    )
    last = rows.iloc[-1]
    by = computed_by(str(last["csp_version"]), run.manifest.target.name)
    when = last["measured"].to_pydatetime()
    return ClassAttribution(layer, last["how"], table, Provenance("precomputed", by, when, None))


def _varying(activations: np.ndarray) -> int:
    """How many of these neurons are not the same on every image."""
    return int((activations != activations[:1]).any(axis=0).sum())


@dataclass(frozen=True)
class Extremes:
    """The neurons of a layer that push towards one class most and least; each with how much."""

    name: str
    speak_for: tuple[tuple[int, float], ...]
    """The highest first; only those above 0."""
    speak_against: tuple[tuple[int, float], ...]
    """The lowest first; only those below 0."""


def extremes(pushes: ClassAttribution, name: str, count: int) -> Extremes:
    """The `count` neurons at either end for one class, ties to the lower number."""
    column = pushes.table[name].to_numpy()
    falling, rising = (np.argsort(values, kind="stable")[:count].tolist() for values in (-column, column))
    return Extremes(
        name,
        tuple((neuron, float(column[neuron])) for neuron in falling if column[neuron] > 0),
        tuple((neuron, float(column[neuron])) for neuron in rising if column[neuron] < 0),
    )


def on_both_sides(found: Extremes, labels: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """The texts that label a neuron which speaks for the class and another which speaks against it.

    `labels` are the texts of each neuron; one that is missing has none.
    """
    against = {text for neuron, _ in found.speak_against for text in labels.get(neuron, ())}
    texts = (text for neuron, _ in found.speak_for for text in labels.get(neuron, ()))
    return tuple(dict.fromkeys(text for text in texts if text in against))


def artefact_attribution(rows: pd.DataFrame, pushes: ClassAttribution) -> pd.DataFrame:
    """One row an artefact: `artefact`, `neurons` (the strongest first), and `attribution`: by class of the
    neuron of them that pushes towards it most, up or down. `rows` has the columns neuron and artefacts.
    """
    found: list[dict[str, Any]] = []
    for artefact, group in rows.explode("artefacts").dropna(subset="artefacts").groupby("artefacts"):
        own = pushes.table.loc[group["neuron"].tolist()]
        strength = own.abs().max(axis=1).sort_values(ascending=False, kind="stable")
        strongest = {name: max(own[name].tolist(), key=abs) for name in own.columns}
        found.append({"artefact": artefact, "neurons": strength.index.tolist(), "attribution": strongest})
    found.sort(key=lambda one: -max(map(abs, one["attribution"].values())))
    return pd.DataFrame(found, columns=["artefact", "neurons", "attribution"])
