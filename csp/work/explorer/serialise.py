"""Examples and labels as JSON values, which is all that the cache keeps."""

import math
from typing import Any

import numpy as np

from csp.method.examples.select import Examples
from csp.method.labelers.registry import LABELERS
from csp.work.labels.rows import LabelRow, Labels

_WHOLE, _REAL = ("activating", "contrastive"), ("activation", "contrastive_activation", "similarity")


def examples_to_json(examples: Examples) -> dict[str, Any]:
    """Lists of numbers, null for NaN."""
    document: dict[str, Any] = {name: getattr(examples, name).tolist() for name in _WHOLE}
    document["further"] = None if examples.further is None else examples.further.tolist()
    document |= {name: [_or_null(value) for value in getattr(examples, name).tolist()] for name in _REAL}
    return document | {"mean_activation": examples.mean_activation}


def examples_from_json(document: dict[str, Any]) -> Examples:
    """The same examples again."""
    whole = {name: np.array(document[name], dtype=np.int64) for name in _WHOLE}
    real = {name: np.array(document[name], dtype=np.float32) for name in _REAL}  # None becomes NaN
    further = document["further"]
    return Examples(
        **whole,
        **real,
        mean_activation=document["mean_activation"],
        further=None if further is None else np.array(further, dtype=np.int64).reshape(len(further), -1),
    )


def labels_to_json(labels: Labels) -> dict[str, Any]:
    """By labeler, `[label, score, rank]` of each text."""
    return {name: [[row.label, row.score, row.rank] for row in rows] for name, rows in labels.items()}


def labels_from_json(document: dict[str, Any]) -> Labels:
    """The same labels again, in the order of `LABELERS`: the cache sorts the names."""
    return {name: tuple(LabelRow(*row) for row in document[name]) for name in LABELERS if name in document}


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
