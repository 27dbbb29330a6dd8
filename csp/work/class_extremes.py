"""Which neurons speak most for and against each class, and which artefacts do."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csp.work.class_push import ClassPush


@dataclass(frozen=True)
class Extremes:
    """The neurons of a layer that push one class most and least; each with its push."""

    name: str
    speak_for: tuple[tuple[int, float], ...]
    """The highest push first; only pushes above 0."""
    speak_against: tuple[tuple[int, float], ...]
    """The lowest push first; only pushes below 0."""


def extremes(pushes: ClassPush, name: str, count: int) -> Extremes:
    """The `count` neurons at either end for one class, ties to the lower number."""
    column = pushes.table[name].to_numpy()
    falling, rising = (np.argsort(values, kind="stable")[:count].tolist() for values in (-column, column))
    return Extremes(
        name,
        tuple((neuron, float(column[neuron])) for neuron in falling if column[neuron] > 0),
        tuple((neuron, float(column[neuron])) for neuron in rising if column[neuron] < 0),
    )


def artefact_pushes(rows: pd.DataFrame, pushes: ClassPush) -> pd.DataFrame:
    """One row an artefact: `artefact`, `neurons` (the strongest pushing first), and by class the push of the
    neuron of them that pushes it most, up or down. `rows` has the columns neuron and artefacts.
    """
    found = []
    for artefact, group in rows.explode("artefacts").dropna(subset="artefacts").groupby("artefacts"):
        own = pushes.table.loc[group["neuron"].tolist()]
        strength = own.abs().max(axis=1).sort_values(ascending=False, kind="stable")
        strongest = {name: max(own[name].tolist(), key=abs) for name in own.columns}
        found.append({"artefact": artefact, "neurons": strength.index.tolist(), **strongest})
    table = pd.DataFrame(found, columns=["artefact", "neurons", *pushes.table.columns])
    order = table[list(pushes.table.columns)].abs().max(axis=1).sort_values(ascending=False, kind="stable")
    return table.loc[order.index].reset_index(drop=True)
