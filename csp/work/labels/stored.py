"""The labels that came with a run, and those of labelers that joined it later.

A run made before a labeler existed lacks its labels. `complete_labels.label_all` works out those of all
labelers for such a run once and adds them; until then the explorer computes them for one neuron at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import LABELS
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.labels.rows import LabelRow, Labels, ScoreRange

LATER = AddedTable("labels", {"layer": pa.string(), **LABELS}, ("layer", "neuron", "labeler", "label"))


@dataclass(frozen=True, eq=False)
class LayerLabels:
    """The labels of a layer, and what pages ask of them again and again."""

    frame: pd.DataFrame

    def of(self, neuron: int) -> Labels:
        """One neuron's labels; none where none are stored."""
        rows = self._rows.get(neuron)
        return {} if rows is None else _by_neuron(self.frame.iloc[rows])[neuron]

    @cached_property
    def first_labeler(self) -> str:
        """`FIRST`, or csp where that has none."""
        return FIRST if self.frame.empty or (self.frame["labeler"] == FIRST).any() else "csp"

    @cached_property
    def firsts(self) -> dict[int, tuple[LabelRow, ...]]:
        """By neuron the labels of the first labeler, best first."""
        rows = self.frame[self.frame["labeler"] == self.first_labeler]
        return {neuron: labels[self.first_labeler] for neuron, labels in _by_neuron(rows).items()}

    @cached_property
    def ranges(self) -> dict[str, ScoreRange]:
        """By labeler, where the scores of its first labels lie."""
        scores = self.frame[self.frame["rank"] == 1].groupby("labeler", sort=False)["score"]
        return {str(labeler): _range(of_labeler) for labeler, of_labeler in scores}

    @cached_property
    def _rows(self) -> dict[int, Int64[np.ndarray, " r"]]:
        neurons = self.frame.groupby("neuron", sort=False).indices
        return {int(str(neuron)): np.asarray(rows) for neuron, rows in neurons.items()}


class StoredLabels:
    """The stored labels of one run; what is read is kept until more are added."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._additions = Additions(run)
        self._kept: dict[tuple[str, tuple[str, ...]], LayerLabels] = {}

    def frame(self, layer: str) -> pd.DataFrame:
        """All labels of a layer, columns `tables.LABELS`; those added later replace a neuron's first ones."""
        return self._layer(layer).frame

    def of(self, layer: str, neuron: int) -> Labels | None:
        """One neuron's labels by every labeler; none for one that never fires; None: not all are stored."""
        found = self._layer(layer)
        labels = found.of(neuron)
        if found.frame.empty or (labels and LABELERS.keys() - labels.keys()):
            return None
        return labels

    def first_labeler(self, layer: str) -> str:
        """The labeler whose first labels stand for the neurons: `FIRST`, or csp in a run that lacks it."""
        return self._layer(layer).first_labeler

    def first_rows(self, layer: str) -> dict[int, tuple[LabelRow, ...]]:
        """By neuron the first labeler's labels, best first; a neuron without one is missing."""
        return self._layer(layer).firsts

    def first_labels(self, layer: str) -> dict[int, str]:
        """By neuron the first label of the first labeler; a neuron without one is missing."""
        return {neuron: rows[0].label for neuron, rows in self.first_rows(layer).items()}

    def score_range(self, layer: str, labeler: str = "csp") -> ScoreRange | None:
        """Where the scores of a labeler's first labels lie; None when none are stored."""
        return self._layer(layer).ranges.get(labeler)

    def _layer(self, layer: str) -> LayerLabels:
        key = layer, self._additions.version(LATER)
        if key not in self._kept:
            self._kept[key] = LayerLabels(self._merged(layer))
        return self._kept[key]

    def _merged(self, layer: str) -> pd.DataFrame:
        came = self._run.labels(layer)
        later = self._additions.read(LATER)
        later = later[later["layer"] == layer].drop(columns="layer")
        if later.empty:
            return came
        return pd.concat([came[~came["neuron"].isin(later["neuron"])], later], ignore_index=True)


def label_rows(neuron: int, labels: Labels) -> Iterator[dict[str, object]]:
    """The labels of one neuron as rows of a table."""
    for labeler, rows in labels.items():
        for row in rows:
            yield {
                "neuron": neuron,
                "labeler": labeler,
                "rank": row.rank,
                "label": row.label,
                "score": row.score,
            }


def _range(scores: pd.Series) -> ScoreRange:
    low, median, high = scores.quantile([0.1, 0.5, 0.9]).tolist()
    return ScoreRange(low, median, high, len(scores))


def _by_neuron(labels: pd.DataFrame) -> dict[int, Labels]:
    found: dict[int, dict[str, list[LabelRow]]] = {}
    columns = (labels[name].tolist() for name in ("neuron", "labeler", "label", "score", "rank"))
    for neuron, labeler, label, score, rank in zip(*columns, strict=True):
        found.setdefault(neuron, {}).setdefault(labeler, []).append(LabelRow(label, score, rank))
    return {
        neuron: {
            labeler: tuple(sorted(by_labeler[labeler], key=lambda row: row.rank))
            for labeler in LABELERS
            if labeler in by_labeler
        }
        for neuron, by_labeler in found.items()
    }
