"""From facts to a chance: a logistic regression.

It is fitted on made-up worlds in which the truth is known (`benchmarks/fit_chance.py`), and kept in
`fitted.py`; docs/results.md says how well it holds elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.optimize import minimize


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


def recalibrated(
    chance: Float[np.ndarray, " c"], judged: Float[np.ndarray, " m"], right: Bool[np.ndarray, " m"]
) -> Float64[np.ndarray, " c"]:
    """The chances as people's verdicts have them; `judged` are of labels that they found `right` or not.

    Platt's scaling (1999): 1 / (1 + exp(-(a logit(p) + b))), with a penalty that pulls a to 1 and b to 0 in
    place of his smoothed targets: few verdicts change little. How fast a chance should rise can only be
    told from verdicts of both kinds, so a is held the more the rarer one of them is, and is 1 without it:
    where all labels were wrong every chance falls, where all were right every one rises. NaN stays NaN.
    """
    odds, rarer = _logit(judged), min(int(right.sum()), int((~right).sum()))
    held = len(right) / max(rarer, 1)

    def loss(ab: Float64[np.ndarray, " 2"]) -> float:
        said = ab[0] * odds + ab[1]
        away = held * (ab[0] - 1) ** 2 + ab[1] ** 2
        return float((np.logaddexp(0, said) - right * said).sum() + away / 2)

    a, b = minimize(loss, np.array([1.0, 0.0]), bounds=[(0.0, None) if rarer else (1.0, 1.0), (None, None)]).x
    found: Float64[np.ndarray, " c"] = 1 / (1 + np.exp(-(a * _logit(chance) + b)))
    return found


def _logit(chance: Float[np.ndarray, " c"]) -> Float64[np.ndarray, " c"]:
    clipped = np.clip(chance.astype(np.float64), 1e-9, 1 - 1e-9)
    odds: Float64[np.ndarray, " c"] = np.log(clipped / (1 - clipped))
    return odds
