"""A score as a table cell: the number, its rank, and a bar on a track that shows the usual range."""

import math
from typing import Any

import pandas as pd

from csp.face.screen.wording import score
from csp.work.labels.rows import ScoreRange


def score_cell(value: float, rank: int | None, column: pd.Series, usual: ScoreRange | None) -> dict[str, Any]:
    """What `table.js` draws: bar and range lie in 0..1 of a track that spans the column, 0 and the range."""
    known = column.dropna()
    ends = [0.0, *known, *((usual.low, usual.high) if usual else ())]
    low, width = min(ends), max(ends) - min(ends)
    if math.isnan(value) or width == 0:
        return {
            "text": "–" if math.isnan(value) else score(value),
            "rank": rank,
            "fill": None,
            "low": None,
            "high": None,
        }
    return {
        "text": score(value),
        "rank": rank,
        "fill": (value - low) / width,
        "low": (usual.low - low) / width if usual else None,
        "high": (usual.high - low) / width if usual else None,
    }
