"""From facts to a chance: a logistic regression.

It is fitted on made-up worlds in which the truth is known (`benchmarks/fit_chance.py`), and kept in
`fitted.py`; docs/results.md says how well it holds elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64


@dataclass(frozen=True)
class Model:
    """A logistic regression: chance = 1 / (1 + exp(-(intercept + weights . facts)))."""

    intercept: float
    weights: tuple[float, ...]


def chances(facts: Float[np.ndarray, "l f"], model: Model) -> Float64[np.ndarray, " l"]:
    """The chance that each label is true, in [0, 1]; NaN where the facts are not known."""
    odds = model.intercept + facts @ np.array(model.weights)
    chance: Float64[np.ndarray, " l"] = 1 / (1 + np.exp(-odds))
    return chance
