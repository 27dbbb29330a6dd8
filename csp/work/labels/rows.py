"""Scored labels, as answers hold them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelRow:
    """A text with its score and its rank (1 = best) in the vocabulary under one labeler."""

    label: str
    score: float
    rank: int


@dataclass(frozen=True)
class ScoredText:
    """A text with what each labeler gives it: one row of the score table."""

    text: str
    by: Mapping[str, LabelRow]
    """By labeler."""


@dataclass(frozen=True)
class ScoreRange:
    """Scores of the first labels in a layer: the middle 80 % lies in low..high."""

    low: float
    median: float
    high: float
    neurons: int


Labels = dict[str, tuple[LabelRow, ...]]

LAST = 2**31
"""The place of a text that a labeler did not rank."""


def scored_texts(labels: Mapping[str, tuple[LabelRow, ...]], first: str) -> tuple[ScoredText, ...]:
    """Every text among some labeler's best, by its rank under the labeler that comes first."""
    found: dict[str, dict[str, LabelRow]] = {}
    for labeler, rows in labels.items():
        for row in rows:
            found.setdefault(row.label, {})[labeler] = row
    texts = (ScoredText(text, by) for text, by in found.items())
    return tuple(sorted(texts, key=lambda one: one.by[first].rank if first in one.by else LAST))
