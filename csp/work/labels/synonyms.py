"""Which texts of a vocabulary mean the same to the encoder, so that a synonym does not count as a rival.

synonyms = explorer.synonyms
synonyms.rival(view.labels["csp"])          # the best label that means something else, and how far behind
synonyms.different(["ruler", "ruler marks", "hairs"])     # 2
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from csp.work.labels.rows import LabelRow
from csp.work.labels.vocabulary import Vocabulary

SAME = 0.9
"""Texts whose embeddings are at least this alike (cosine) mean the same. High on purpose: with it, two words
count as two things unless the encoder can hardly tell them apart."""
BLOCK = 8192
"""Pairs of texts compared at a time."""


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

    def meanings(self, texts: Sequence[str]) -> "Meanings":
        """What these texts mean, for many comparisons at once."""
        rows = [self._vocabulary.row(text) for text in texts]
        unit = np.zeros((len(rows), self._unit.shape[1]), np.float32)
        known = [place for place, row in enumerate(rows) if row is not None]
        unit[known] = self._unit[[row for row in rows if row is not None]]
        return Meanings(unit)

    def different(self, labels: Iterable[str]) -> int:
        """How many different things these texts mean; a text belongs to the first that it is the same as."""
        found: list[str] = []
        for label in labels:
            if not any(self.same(label, one) for one in found):
                found.append(label)
        return len(found)


@dataclass(frozen=True, eq=False)
class Meanings:
    """The meanings of some texts; each text is named by its place among them, -1 stands for none."""

    unit: Float32[np.ndarray, "t d"]
    """Zero for a text outside the vocabulary."""

    def same(self, ones: Int64[np.ndarray, " b"], others: Int64[np.ndarray, " b"]) -> Bool[np.ndarray, " b"]:
        """Of each pair whether the two texts mean the same, as `Synonyms.same`."""
        alike = ones == others
        for start in range(0, len(ones), BLOCK):
            part = slice(start, start + BLOCK)
            cosines = np.einsum("bd,bd->b", self.unit[ones[part]], self.unit[others[part]])
            alike[part] |= cosines >= SAME
        both: Bool[np.ndarray, " b"] = alike & (ones >= 0) & (others >= 0)
        return both

    def rivals(
        self, codes: Int64[np.ndarray, "n p"], scores: Float64[np.ndarray, "n p"]
    ) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """`Synonyms.rival` of many neurons: the rival's text, -1 without one, and the lead, NaN with fewer
        than two labels. A row of `codes` are the labels of a neuron, best first, -1 behind the last."""
        count = (codes >= 0).sum(axis=1)
        rival, against = np.full(len(codes), -1), np.full(len(codes), np.nan)
        searching = np.flatnonzero(count >= 2)
        against[searching] = scores[searching, count[searching] - 1]
        for place in range(1, codes.shape[1]):
            searching = searching[count[searching] > place]
            other = ~self.same(codes[searching, 0], codes[searching, place])
            found = searching[other]
            rival[found], against[found] = codes[found, place], scores[found, place]
            searching = searching[~other]
        return rival, (scores[:, 0] - against if codes.shape[1] else against)

    def different(self, codes: Int64[np.ndarray, "n p"]) -> Int64[np.ndarray, " n"]:
        """`Synonyms.different` of many neurons: how many different things the texts of each row mean."""
        new = codes >= 0
        for place in range(codes.shape[1]):
            for before in range(place):
                both = np.flatnonzero(new[:, place] & new[:, before])
                new[both[self.same(codes[both, before], codes[both, place])], place] = False
        things: Int64[np.ndarray, " n"] = new.sum(axis=1)
        return things
