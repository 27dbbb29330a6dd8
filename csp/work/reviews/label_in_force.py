"""The label in force: a person's where one decided, else the machine's. The one place for that rule.

first = label_in_force(machine, state)            # LabelInForce: .text .machine .by .words .shown .lines
labels_in_force(explorer, "layer4", reviewed)     # {neuron: LabelInForce} of a layer
put_people_first(found, desk, top)                # for the lists of labels that commands print
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csp.keeping.reviews.normalise import label_parts, same_label, together
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import NO_LABEL_FITS, Action
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.desk import ReviewDesk


@dataclass(frozen=True)
class LabelInForce:
    """The label of a neuron that screens, commands and files give first, whose it is, and the machine's."""

    text: str | None
    """Of several all, as the record keeps them. None: there is none, or a person found that no label fits."""
    machine: str | None
    """What the machine says, of several labels all; it stays in sight below a person's."""
    by: str | None = None
    """Whose it is, with "(name not checked)" after one that was only typed; None: the machine's."""
    verdict: Action | None = None
    sides: tuple[tuple[str, str | None], ...] = ()
    """In a dispute, who says what, the newest last; a label of None: no label fits."""
    machine_texts: tuple[str, ...] = ()
    """Each of the machine's labels by itself, that which it is surest of first."""

    @property
    def words(self) -> str:
        """Whose it is, in words: `confirmed by Ann`, `the machine suggests`, `people disagree`."""
        if self.sides:
            return "people disagree"
        if self.by is None:
            return "the machine suggests"
        return f"{_DONE[self.verdict]} by {self.by}" if self.verdict in _DONE else f"by {self.by}"

    @property
    def shown(self) -> str:
        """The label, or that there is none; in a dispute both sides."""
        if self.sides:
            return " or ".join(dict.fromkeys(in_words(label) or NONE_FITS for _, label in self.sides))
        words = ALSO.join(self.machine_texts) if self.text == self.machine else self.text
        return words or (NO_LABEL if self.by is None else NONE_FITS)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each label by itself: the machine may find several, a person writes ; between them.

        A text that is the machine's is read as the machine meant it: one of its labels may hold a ; itself.
        """
        if self.by is None or (self.machine is not None and self.text == self.machine):
            return self.machine_texts
        return label_parts(self.text)

    @property
    def suggested(self) -> str | None:
        """The machine's label, in words, where a person chose another."""
        if self.by is None or self.machine is None or same_label(self.machine) == same_label(self.text):
            return None
        return ALSO.join(self.machine_texts)

    @property
    def lines(self) -> tuple[str, str]:
        """For a table or card: the label, and whose it is with what the machine suggests instead."""
        if self.by is None and self.text is None:
            return self.shown, ""
        below = f"; the machine suggests {self.suggested}" if self.suggested else ""
        return self.shown, f"{self.words}{below}"


NO_LABEL, NONE_FITS = "no label", NO_LABEL_FITS
ALSO = ", also "
_DONE = {
    Action.CONFIRM: "confirmed",
    Action.OVERRIDE: "written",
    Action.REJECT: "said",
    Action.RESOLVE: "settled",
}


def label_in_force(machine: object, state: NeuronReview | None) -> LabelInForce:
    """`machine` are the machine's labels, or its only one; whatever is neither (a NaN of a table) is none."""
    texts = (machine,) if isinstance(machine, str) else machine if isinstance(machine, tuple) else ()
    suggested = together(texts) if texts else None
    if state is None or state.deciding is None:
        return LabelInForce(suggested, suggested, machine_texts=texts)
    event = state.deciding
    sides = tuple((one.who.words, one.label) for one in state.counted) if state.disputed else ()
    return LabelInForce(event.label, suggested, event.who.words, event.verdict, sides, texts)


def in_words(label: str | None) -> str:
    """A label as it is recorded, for people: "dark corners, also blue-white veil"."""
    return ALSO.join(label_parts(label))


def labels_in_force(
    explorer: Explorer, layer: str, reviewed: Mapping[int, NeuronReview]
) -> dict[int, LabelInForce]:
    """Of every neuron of a layer; `reviewed` says where those stand that people judged."""
    machine, neurons = explorer.stored_facets.machine_labels(layer), explorer.run.layer(layer).neurons
    return {neuron: label_in_force(machine.get(neuron), reviewed.get(neuron)) for neuron in range(neurons)}


def put_people_first(found: Sequence[dict[str, Any]], desk: ReviewDesk, top: int) -> list[dict[str, Any]]:
    """The rows of `label_lists` with the person's label in front, and four fields that say whose it is.

    `source` ("person" or "machine"), `verdict`, `reviewed_by` and `disputed`. A neuron whose labels a person
    rejected has none. A person's label that is not among the machine's `top` comes without a score.
    """
    states = desk.states()
    return [_row(row, states.get((row["layer"], row["neuron"]), NeuronReview()), top) for row in found]


def _row(row: dict[str, Any], state: NeuronReview, top: int) -> dict[str, Any]:
    one = next((one["label"] for one in row["labels"] if one["label"] == state.label), None)
    first = label_in_force(one, state)  # one of the list, which may hold a ; itself, is one label
    labels = row["labels"] if first.by is None else _person_first(row["labels"], first.texts)
    return row | {
        "labels": labels[:top],
        "source": state.source,
        "verdict": None if state.verdict is None else str(state.verdict),
        "reviewed_by": [who.name for who in state.verdicts],
        "disputed": state.disputed,
    }


def _person_first(labels: list[dict[str, Any]], texts: Sequence[str]) -> list[dict[str, Any]]:
    if not texts:
        return []
    scores = {same_label(one["label"]): one["score"] for one in labels}
    own = {same_label(text): {"label": text, "score": scores.get(same_label(text))} for text in texts}
    return [*own.values(), *(one for one in labels if same_label(one["label"]) not in own)]
