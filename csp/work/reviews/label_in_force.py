"""Labels as people left them: theirs first, the machine's after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.desk import ReviewDesk, Spot


@dataclass(frozen=True)
class LabelInForce:
    """The label of a neuron that a screen shows first, and whose it is."""

    text: str | None
    """None: there is none, or a person found that none fits."""
    by: str | None
    """Whose it is, with "(not checked)" after a name that was only typed; None: the machine's."""
    verdict: Action | None = None
    disputed: bool = False

    @property
    def words(self) -> str:
        """Whose it is, in words: `confirmed by Ann`, `the machine suggests`, `people disagree`."""
        if self.disputed:
            return "people disagree"
        if self.by is None:
            return "the machine suggests"
        return f"{_DONE[self.verdict]} by {self.by}" if self.verdict in _DONE else f"by {self.by}"


_DONE = {
    Action.CONFIRM: "confirmed",
    Action.OVERRIDE: "written",
    Action.REJECT: "rejected",
    Action.RESOLVE: "settled",
}


def shown_label(machine: str | None, state: NeuronReview | None) -> LabelInForce:
    """A person's label first, else the machine's; `machine` stays to be shown below it, as second."""
    if state is None or state.deciding is None:
        return LabelInForce(machine, None)
    event = state.deciding
    name = event.reviewer if event.reviewer_verified else f"{event.reviewer} (not checked)"
    return LabelInForce(event.label, name, event.verdict, state.disputed)


def put_people_first(found: Sequence[dict[str, Any]], desk: ReviewDesk, top: int) -> list[dict[str, Any]]:
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


def labels_in_force(explorer: Explorer, states: Mapping[Spot, NeuronReview]) -> dict[Spot, str | None]:
    """The label of every neuron: a person's first, else the machine's; None where none fits or is known."""
    found: dict[Spot, str | None] = {}
    for layer in explorer.run.layers:
        table = explorer.neurons(layer).frame
        for neuron, label in zip(table["neuron"].tolist(), table["label"].tolist(), strict=True):
            state = states.get((layer, neuron))
            decided = state is not None and state.deciding is not None
            found[layer, neuron] = state.label if state is not None and decided else label
    return found
