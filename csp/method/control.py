"""What the same numbers are where there is nothing to find: neurons whose activations are shuffled.

A shuffled neuron keeps its activations and loses which image has which, so whatever label fits it fits by
chance: the null of "the label has to do with the images". Its scores are drawn once for many neurons of a
layer and pooled; the pool is the null of the layer's first labels, not of one neuron.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.stats import betabinom

HIGH = 0.95
"""Scores up to this quantile of the control are what noise gives."""


@dataclass(frozen=True, eq=False)
class Noise:
    """The scores of the first labels of shuffled neurons, ascending; at least one."""

    scores: Float64[np.ndarray, " draws"]

    @property
    def mean(self) -> float:
        """What noise gives on the average."""
        return float(self.scores.mean())

    @property
    def high(self) -> float:
        """What noise reaches once in twenty draws."""
        return float(np.quantile(self.scores, HIGH))

    def reached(self, scores: Float[np.ndarray, " c"]) -> Float64[np.ndarray, " c"]:
        """By score the share of draws that reach it, (1 + number of draws >= score) / (1 + draws): a p value.

        1 for NaN. Source: Phipson and Smyth 2010 (Stat Appl Genet Mol Biol 9, 39), which is never 0.
        """
        below = np.searchsorted(self.scores, np.nan_to_num(scores, nan=-np.inf), side="left")
        share: Float64[np.ndarray, " c"] = (1 + len(self.scores) - below) / (1 + len(self.scores))
        return share

    def above(self, scores: Float[np.ndarray, "*b"]) -> Bool[np.ndarray, "*b"]:
        """Which scores are above what noise gives: above its 95 % quantile. Never for NaN."""
        found: Bool[np.ndarray, "*b"] = scores > self.high
        return found


@dataclass(frozen=True)
class ByChance:
    """How many of some neurons would have a label of a kind if every label were one of noise."""

    expected: float
    high: float
    """In 19 of 20 cases chance gives no more."""


def shuffled(
    activations: Float[np.ndarray, " n"], selection: Bool[np.ndarray, " n"] | None, rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """One neuron's activations dealt out to the images anew, within the selection split and within the rest.

    Each part keeps how strongly and how often the neuron fires on it. `selection` None: one part.
    """
    dealt = activations.copy()
    for part in [slice(None)] if selection is None else [selection, ~selection]:
        dealt[part] = rng.permutation(activations[part])
    return dealt


def dealt_neurons(
    neurons: Sequence[int], draws: int, rng: np.random.Generator
) -> Int64[np.ndarray, " draws"]:
    """The neuron that each draw shuffles; none serves twice before all (at least one) have served once."""
    rounds = -(-draws // len(neurons))
    order = np.concatenate([rng.permutation(np.asarray(neurons, dtype=np.int64)) for _ in range(rounds)])
    return order[:draws]


def by_chance(hits: int, draws: int, neurons: int) -> ByChance:
    """What to expect of `neurons` labels of noise when `hits` of `draws` of the control are of a kind.

    expected = neurons (hits + 1/2) / (draws + 1), high = 95 % quantile of the beta-binomial: both say how
    unsure a share of so few draws is (Jeffreys' prior). Neurons count as independent, which those that are
    alike are not: the true spread is wider.
    """
    a, b = hits + 0.5, draws - hits + 0.5
    return ByChance(neurons * a / (a + b), float(betabinom.ppf(HIGH, neurons, a, b)) if neurons else 0.0)
