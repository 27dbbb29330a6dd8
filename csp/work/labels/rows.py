"""Scored labels, as answers hold them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelRow:
    """A text with its score and its rank (1 = best) in the vocabulary under one labeler."""

    label: str
    score: float
    rank: int


@dataclass(frozen=True)
class ScoreRange:
    """Scores of the first labels in a layer: the middle 80 % lies in low..high."""

    low: float
    median: float
    high: float
    neurons: int


Labels = dict[str, tuple[LabelRow, ...]]
