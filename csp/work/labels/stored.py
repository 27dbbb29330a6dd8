"""The labels that came with a run, and those of labelers that joined it later.

A run made before a labeler existed lacks its labels. `complete_labels.label_all` works out those of all
labelers for such a run once and adds them; until then the explorer computes them for one neuron at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float64, Int64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import LABELS
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.labels.rows import LabelRow, Labels, ScoreRange

LATER = AddedTable("labels", {"layer": pa.string(), **LABELS}, ("layer", "neuron", "labeler", "label"))


@dataclass(frozen=True, eq=False)
class LabelColumns(Mapping[int, tuple[LabelRow, ...]]):
    """Labels of many neurons, in order, as arrays; by neuron they are read as rows."""

    neurons: Int64[np.ndarray, " c"]
    """The neurons with labels, ascending."""
    starts: Int64[np.ndarray, " c1"]
    """Where the labels of each begin, and at last how many there are."""
    texts: tuple[str, ...]
    codes: Int64[np.ndarray, " r"]
    """The place of each label in `texts`."""
    scores: Float64[np.ndarray, " r"]
    ranks: Int64[np.ndarray, " r"]

    @classmethod
    def of_frame(cls, frame: pd.DataFrame, by: Sequence[str]) -> "LabelColumns":
        """Labels of a table, for each neuron in the order of these columns."""
        frame = frame.sort_values(["neuron", *by], kind="stable")
        label = frame["label"].astype("category").cat
        neurons, starts = np.unique(frame["neuron"].to_numpy(np.int64), return_index=True)
        return cls(
            neurons,
            np.append(starts, len(frame)).astype(np.int64),
            tuple(label.categories),
            label.codes.to_numpy(np.int64),
            frame["score"].to_numpy(np.float64),
            frame["rank"].to_numpy(np.int64),
        )

    def wide(
        self, neurons: Int64[np.ndarray, " n"], places: int | None = None
    ) -> tuple[Int64[np.ndarray, "n p"], Float64[np.ndarray, "n p"]]:
        """The codes and scores of the labels of these neurons, as many as one has at most, or `places`; -1
        and NaN where a neuron has fewer."""
        most = int(np.diff(self.starts).max(initial=0)) if places is None else places
        if not len(self.neurons):
            return np.full((len(neurons), most), -1), np.full((len(neurons), most), np.nan)
        found = np.minimum(np.searchsorted(self.neurons, neurons), len(self.neurons) - 1)
        counts = np.where(self.neurons[found] == neurons, np.diff(self.starts)[found], 0)
        there = np.arange(most) < counts[:, None]
        rows = np.where(there, self.starts[found][:, None] + np.arange(most), 0)
        return np.where(there, self.codes[rows], -1), np.where(there, self.scores[rows], np.nan)

    def __getitem__(self, neuron: int) -> tuple[LabelRow, ...]:
        place = int(np.searchsorted(self.neurons, neuron))
        if place == len(self.neurons) or self.neurons[place] != neuron:
            raise KeyError(neuron)
        rows = slice(self.starts[place], self.starts[place + 1])
        labels = (self.texts[code] for code in self.codes[rows].tolist())
        return tuple(map(LabelRow, labels, self.scores[rows].tolist(), self.ranks[rows].tolist()))

    def __iter__(self) -> Iterator[int]:
        return iter(self.neurons.tolist())

    def __len__(self) -> int:
        return len(self.neurons)


@dataclass(frozen=True, eq=False)
class LayerLabels:
    """The labels of a layer, and what pages ask of them again and again."""

    frame: pd.DataFrame

    def of(self, neuron: int) -> Labels:
        """One neuron's labels; none where none are stored."""
        neurons, order = self._sorted
        rows = slice(*np.searchsorted(neurons, (neuron, neuron + 1)))
        return _labels(self.frame.iloc[rows if order is None else order[rows]])

    def incomplete(self, neurons: int) -> list[int]:
        """Those of a layer's neurons whose labels aren't all stored; not those that have none, as they never
        fire, unless no neuron has any."""
        if self.frame.empty:
            return list(range(neurons))
        names = self.frame["labeler"].astype("category").cat
        known = np.array([name in LABELERS for name in names.categories], dtype=bool)
        codes, labelers = names.codes.to_numpy(np.int64), len(known)
        pairs = np.unique(self.frame["neuron"].to_numpy(np.int64) * labelers + codes)
        found, counts = np.unique((pairs // labelers)[known[pairs % labelers]], return_counts=True)
        lacking: list[int] = found[counts < len(LABELERS)].tolist()
        return lacking

    @cached_property
    def first_labeler(self) -> str:
        """`FIRST`, or csp as long as some neurons lack labels of that, or where it tells no text from another
        (one that does, and a neuron that fires, never scores 0)."""
        best = self.frame[(self.frame["rank"] == 1) & (self.frame["score"] != 0)]
        count = best["labeler"].value_counts()
        return FIRST if count.get(FIRST, 0) >= count.get("csp", 0) else "csp"

    @cached_property
    def firsts(self) -> LabelColumns:
        """By neuron the labels of the first labeler, best first."""
        return LabelColumns.of_frame(self.frame[self.frame["labeler"] == self.first_labeler], by=("rank",))

    @cached_property
    def first_texts(self) -> dict[int, str]:
        """By neuron the first label of the first labeler."""
        firsts = self.firsts
        labels = (firsts.texts[code] for code in firsts.codes[firsts.starts[:-1]].tolist())
        return dict(zip(firsts.neurons.tolist(), labels, strict=True))

    @cached_property
    def each_first(self) -> LabelColumns:
        """By neuron the first label of every labeler, in the order stored."""
        return LabelColumns.of_frame(self.frame[self.frame["rank"] == 1], by=())

    @cached_property
    def ranges(self) -> dict[str, ScoreRange]:
        """By labeler, where the scores of its first labels lie."""
        scores = self.frame[self.frame["rank"] == 1].groupby("labeler", sort=False)["score"]
        return {str(labeler): _range(of_labeler) for labeler, of_labeler in scores}

    @cached_property
    def _sorted(self) -> tuple[Int64[np.ndarray, " r"], Int64[np.ndarray, " r"] | None]:
        """The column of neurons in ascending order, and the order that makes it so; None: it is so."""
        neurons = self.frame["neuron"].to_numpy(np.int64)
        if (np.diff(neurons) >= 0).all():
            return neurons, None
        order = np.argsort(neurons, kind="stable")
        return neurons[order], order


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

    def incomplete(self, layer: str) -> list[int]:
        """The neurons for which `of` is None, ascending: of all at once."""
        return self._layer(layer).incomplete(self._run.layer(layer).neurons)

    def first_labeler(self, layer: str) -> str:
        """The labeler whose first labels stand for the neurons: `FIRST`, or csp in a run that lacks it."""
        return self._layer(layer).first_labeler

    def first_rows(self, layer: str) -> LabelColumns:
        """By neuron the first labeler's labels, best first; a neuron without one is missing."""
        return self._layer(layer).firsts

    def first_labels(self, layer: str) -> dict[int, str]:
        """By neuron the first label of the first labeler; a neuron without one is missing."""
        return self._layer(layer).first_texts

    def each_first(self, layer: str) -> LabelColumns:
        """By neuron the first label of every labeler; a neuron without one is missing."""
        return self._layer(layer).each_first

    def score_range(self, layer: str, labeler: str | None = None) -> ScoreRange | None:
        """Where the scores of a labeler's first labels lie (None: the first labeler's); None when none are
        stored."""
        return self._layer(layer).ranges.get(labeler or self.first_labeler(layer))

    def _layer(self, layer: str) -> LayerLabels:
        key = layer, self._additions.version(LATER)
        if key not in self._kept:
            self._kept[key] = LayerLabels(self._merged(layer))
        return self._kept[key]

    def _merged(self, layer: str) -> pd.DataFrame:
        came = _renamed(self._run.labels(layer))
        later = self._additions.read(LATER)
        later = _renamed(later[later["layer"] == layer].drop(columns="layer"))
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


def _renamed(labels: pd.DataFrame) -> pd.DataFrame:
    """Labels by the names that labelers have now.

    What versions before 2.1 stored as clip-dissect is what is called clip-dissect-mean today. The two are
    stored together ever since, so a neuron that has one without the other was labelled by such a version.
    """
    original = labels["labeler"] == "clip-dissect"
    variant = labels.loc[labels["labeler"] == "clip-dissect-mean", "neuron"].unique()
    old = original & ~labels["neuron"].isin(variant)
    if not old.any():
        return labels
    names = labels["labeler"].astype(object).where(~old, "clip-dissect-mean")
    return labels.assign(labeler=names)


def _range(scores: pd.Series) -> ScoreRange:
    low, median, high = scores.quantile([0.1, 0.5, 0.9]).tolist()
    return ScoreRange(low, median, high, len(scores))


def _labels(rows: pd.DataFrame) -> Labels:
    """The labels of one neuron, from its rows."""
    found: dict[str, list[LabelRow]] = {}
    columns = (rows[name].tolist() for name in ("labeler", "label", "score", "rank"))
    for labeler, label, score, rank in zip(*columns, strict=True):
        found.setdefault(labeler, []).append(LabelRow(label, score, rank))
    return {
        labeler: tuple(sorted(found[labeler], key=lambda row: row.rank))
        for labeler in LABELERS
        if labeler in found
    }
