"""A score as a table cell: the number, its rank, and a bar on a track that shows the usual range."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from csp.face.screen.wording import score
from csp.work.labels.rows import ScoreRange


@dataclass(frozen=True)
class Track:
    """What the bars of one column are drawn on: it spans the column's scores, 0 and the usual range."""

    low: float
    width: float
    usual: ScoreRange | None

    def share(self, value: float) -> float:
        """Where a score lies, 0..1."""
        return (value - self.low) / self.width


def track(column: Iterable[float], usual: ScoreRange | None) -> Track:
    """The track of a column; scores that are not known (NaN) do not stretch it."""
    known = (value for value in column if not math.isnan(value))
    ends = [0.0, *known, *((usual.low, usual.high) if usual else ())]
    return Track(min(ends), max(ends) - min(ends), usual)


def score_cell(value: float, rank: int | None, on: Track) -> dict[str, Any]:
    """What `table.js` draws."""
    cell: dict[str, Any] = {"text": score(value), "rank": rank, "fill": None, "low": None, "high": None}
    if math.isnan(value):
        return cell | {"text": "–"}
    if on.width == 0:
        return cell
    usual = (on.usual.low, on.usual.high) if on.usual else None
    ends = {"low": on.share(usual[0]), "high": on.share(usual[1])} if usual else {}
    return cell | {"fill": on.share(value)} | ends
