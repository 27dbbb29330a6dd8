"""Labels as people left them: theirs first, the machine's after."""

from collections.abc import Sequence
from typing import Any

from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.text import same_label
from csp.work.reviewing import Reviewing


def put_people_first(found: Sequence[dict[str, Any]], desk: Reviewing, top: int) -> list[dict[str, Any]]:
    """The rows of `label_lists` with the person's label in front, and four fields that say whose it is.

    `source` ("person" or "machine"), `verdict`, `reviewed_by` and `disputed`. A neuron whose labels a person
    rejected has none. A person's label that is not among the machine's `top` comes without a score.
    """
    states = desk.states()
    return [_row(row, states.get((row["layer"], row["neuron"]), NeuronReview()), top) for row in found]


def _row(row: dict[str, Any], state: NeuronReview, top: int) -> dict[str, Any]:
    labels = row["labels"] if state.deciding is None else _person_first(row["labels"], state.label)
    return row | {
        "labels": labels[:top],
        "source": state.source,
        "verdict": None if state.verdict is None else str(state.verdict),
        "reviewed_by": [who.name for who in state.verdicts],
        "disputed": state.disputed,
    }


def _person_first(labels: list[dict[str, Any]], label: str | None) -> list[dict[str, Any]]:
    if label is None:
        return []
    same = [one for one in labels if same_label(one["label"]) == same_label(label)]
    score = same[0]["score"] if same else None
    return [{"label": label, "score": score}, *(one for one in labels if one not in same)]
