"""The facets that were kept with a run: which several things each neuron looks for.

found = StoredFacets(run)
found.of("layer4")                      # by neuron; a neuron without any is missing
found.absences("layer4")                # those that fire where a thing is lacking, with that facet
found.machine_labels("layer4")          # by neuron all that it looks for, what is in force first
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.work.labels.rows import LabelRow
from csp.work.labels.stored import StoredLabels

FACETS = AddedTable(
    "facets",
    {
        "layer": pa.string(),
        "neuron": pa.int64(),
        "place": pa.int64(),
        "labels": pa.list_(pa.string()),
        "scores": pa.list_(pa.float64()),
        "absent": pa.bool_(),
        "share": pa.float64(),
        "by_chance": pa.float64(),
        "clear": pa.float64(),
        "activating": pa.list_(pa.int64()),
    },
    ("layer", "neuron", "place"),
)
"""Of each neuron its facets, at the run's own parameters and by the labeler that comes first."""


@dataclass(frozen=True, eq=False)
class StoredFacet:
    """One of the things that a neuron looks for."""

    labels: tuple[LabelRow, ...]
    """The text that names it, then the labeler's best for it."""
    absent: bool
    share: float
    by_chance: float
    clear: float
    activating: Int64[np.ndarray, " k"]
    """Its own activating examples."""

    @property
    def label(self) -> str:
        """The text that names it."""
        return self.labels[0].label

    @classmethod
    def of_row(cls, row: Mapping[Any, Any]) -> Self:
        """What a row of `facet_rows` holds."""
        each = enumerate(zip(row["labels"], row["scores"], strict=True), 1)
        return cls(
            tuple(LabelRow(label, float(score), rank) for rank, (label, score) in each),
            bool(row["absent"]),
            float(row["share"]),
            float(row["by_chance"]),
            float(row["clear"]),
            np.asarray(row["activating"], dtype=np.int64),
        )


class StoredFacets:
    """The stored facets of one run; what is read is kept until more are added."""

    def __init__(self, run: Run, labels: StoredLabels) -> None:
        self._additions, self._labels = Additions(run), labels
        self._kept: dict[tuple[str, tuple[str, ...]], dict[int, tuple[StoredFacet, ...]]] = {}
        self._machine_labels: dict[str, _MachineLabels] = {}

    def of(self, layer: str) -> dict[int, tuple[StoredFacet, ...]]:
        """By neuron its facets, that of its first label first; empty where none were kept.

        Facets of another first label than today's do not count.
        """
        key = layer, self._additions.version(FACETS)
        if key not in self._kept:
            self._kept[key] = dict(self._read(layer))
        return self._kept[key]

    def machine_labels(self, layer: str) -> dict[int, tuple[str, ...]]:
        """By labelled neuron its first label, then those of further facets.

        Where the neuron fires more clearly where a thing is lacking, that is in the first label's place.
        """
        facets, firsts = self.of(layer), self._labels.first_labels(layer)
        kept = self._machine_labels.get(layer)
        if kept is None or kept.facets is not facets or kept.firsts is not firsts:
            kept = self._machine_labels[layer] = _MachineLabels(facets, firsts, self.absences(layer))
        return kept.labels

    def absences(self, layer: str) -> dict[int, StoredFacet]:
        """The neurons that images held out show to fire where a thing is lacking, each with that facet."""
        return {neuron: facets[0] for neuron, facets in self.of(layer).items() if facets[0].absent}

    def _read(self, layer: str) -> Iterator[tuple[int, tuple[StoredFacet, ...]]]:
        stored, firsts = self._additions.read(FACETS), self._labels.first_labels(layer)
        rows = stored[stored["layer"] == layer].sort_values(["neuron", "place"], kind="stable")
        by_neuron: dict[int, list[StoredFacet]] = {}
        for row in rows.to_dict("records"):
            by_neuron.setdefault(int(row["neuron"]), []).append(StoredFacet.of_row(row))
        for neuron, found in by_neuron.items():
            if found[0].absent or found[0].label == firsts.get(neuron):
                yield neuron, tuple(found)


def absent_firsts(run: Run, layer: str) -> frozenset[int]:
    """The neurons of `StoredFacets.absences`, without reading all the rest."""
    return _absent_firsts(run, layer, Additions(run).version(FACETS))


@lru_cache(maxsize=32)
def _absent_firsts(run: Run, layer: str, version: tuple[str, ...]) -> frozenset[int]:
    stored = Additions(run).read(FACETS)
    rows = stored[(stored["layer"] == layer) & (stored["place"] == 0) & stored["absent"].astype(bool)]
    return frozenset(rows["neuron"].tolist())


class _MachineLabels:
    """Each neuron's labels, put together once of what is kept."""

    def __init__(
        self,
        facets: dict[int, tuple[StoredFacet, ...]],
        firsts: dict[int, str],
        lacking: dict[int, StoredFacet],
    ) -> None:
        self.facets, self.firsts = facets, firsts
        self.labels = {
            neuron: (
                lacking[neuron].label if neuron in lacking else first,
                *(one.label for one in facets.get(neuron, ())[1:]),
            )
            for neuron, first in firsts.items()
        }


def facet_rows(layer: str, neuron: int, facets: tuple[StoredFacet, ...]) -> pd.DataFrame:
    """The facets of one neuron as rows of the table."""
    return pd.DataFrame(
        [
            {
                "layer": layer,
                "neuron": neuron,
                "place": place,
                "labels": [row.label for row in one.labels],
                "scores": [row.score for row in one.labels],
                "absent": one.absent,
                "share": one.share,
                "by_chance": one.by_chance,
                "clear": one.clear,
                "activating": one.activating.tolist(),
            }
            for place, one in enumerate(facets)
        ]
    )
