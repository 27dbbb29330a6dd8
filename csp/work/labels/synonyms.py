"""Which texts of a vocabulary mean the same to the encoder, so that a synonym does not count as a rival.

synonyms = explorer.synonyms
synonyms.rival(view.labels["csp"])          # the best label that means something else, and how far behind
synonyms.different(["ruler", "ruler marks", "hairs"])     # 2
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from csp.work.labels.rows import LabelRow
from csp.work.labels.vocabulary import Vocabulary

SAME = 0.9
"""Texts whose embeddings are at least this alike (cosine) mean the same. High on purpose: with it, two words
count as two things unless the encoder can hardly tell them apart."""


@dataclass(frozen=True)
class Rival:
    """The best label that means something else than the first."""

    label: str | None
    """None: all labels that are known mean the same as the first."""
    lead: float
    """Score of the first label minus the rival's; without a rival, minus the last label's."""


class Synonyms:
    """Tells the texts of one vocabulary apart by meaning."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        lengths = np.linalg.norm(vocabulary.embeddings, axis=1, keepdims=True)
        self._unit = vocabulary.embeddings / np.maximum(lengths, 1e-12)

    def same(self, one: str, other: str) -> bool:
        """Whether two texts mean the same; a text outside the vocabulary only means itself."""
        if one == other:
            return True
        rows = self._vocabulary.row(one), self._vocabulary.row(other)
        if rows[0] is None or rows[1] is None:
            return False
        return bool(self._unit[rows[0]] @ self._unit[rows[1]] >= SAME)

    def rival(self, rows: Sequence[LabelRow]) -> Rival | None:
        """The rival of the first of these labels, which are best first; None with fewer than two."""
        if len(rows) < 2:
            return None
        first = rows[0]
        other = next((row for row in rows[1:] if not self.same(first.label, row.label)), None)
        return Rival(other.label if other else None, first.score - (other or rows[-1]).score)

    def different(self, labels: Iterable[str]) -> int:
        """How many different things these texts mean; a text belongs to the first that it is the same as."""
        found: list[str] = []
        for label in labels:
            if not any(self.same(label, one) for one in found):
                found.append(label)
        return len(found)
