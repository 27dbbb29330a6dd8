"""Which texts of a vocabulary mean the same to the encoder, so that a synonym does not count as a rival.

meanings = explorer.meanings
meanings.rival(view.labels["csp"])          # the best label that means something else, and how far behind
meanings.different(["ruler", "ruler marks", "hairs"])     # 2
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from csp.keeping.run_folder.run import Run
from csp.work.labels.rows import LabelRow

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
    """Tells the texts of one run's vocabulary apart by meaning."""

    def __init__(self, run: Run) -> None:
        texts = run.text_embeddings
        known = np.zeros((0, 1), np.float32) if texts is None else texts
        self._place = {} if texts is None else {text: row for row, text in enumerate(run.vocabulary["text"])}
        self._unit = known / np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-12)

    def same(self, one: str, other: str) -> bool:
        """Whether two texts mean the same; a text outside the vocabulary only means itself."""
        if one == other:
            return True
        if one not in self._place or other not in self._place:
            return False
        return bool(self._unit[self._place[one]] @ self._unit[self._place[other]] >= SAME)

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
