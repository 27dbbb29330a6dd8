"""The activations of a neuron, counted by the true class of the images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from csp.work.explorer.explorer import Explorer

REST, UNKNOWN = "other classes", "no class known"


@dataclass(frozen=True)
class ClassSplit:
    """Counts of a histogram by class."""

    counts: Mapping[str, Int[np.ndarray, " bins"]]
    """By class, the most frequent first, then `REST` and `UNKNOWN`; together they are the histogram."""
    means: Mapping[str, float]
    """The mean activation on the images of each class."""


def class_split(
    explorer: Explorer, layer: str, neuron: int, edges: Float[np.ndarray, " bins_plus_1"]
) -> ClassSplit | None:
    """One neuron's activations by class, in the given bins; None when the dataset states no class."""
    activations = explorer.run.activations(layer, neuron)
    names, codes = explorer.images.classes
    if not names:
        return None
    finite = np.isfinite(activations)
    values, groups = activations[finite].astype(np.float64), codes[finite]
    titles = (*names, REST, UNKNOWN)
    split = {
        title: np.histogram(values[groups == code], edges)[0]
        for code, title in enumerate(titles)
        if (groups == code).any()
    }
    means = {title: float(values[groups == titles.index(title)].mean()) for title in split}
    return ClassSplit(split, means)
