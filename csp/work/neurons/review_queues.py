"""Which neurons want a person's judgement, why, and in which order.

rows = with_reviews(machine_rows(explorer, layer), reviewed)
items = queue("doubtful", QueueFacts(rows, reviewed), ann)
to_do(items, reviewed, ann, "open")                       # what is left of them
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from csp.errors import BadInputError
from csp.keeping.reviews.state import NeuronReview
from csp.work.neurons.doubt import why_doubtful
from csp.work.neurons.rows import NeuronRows
from csp.work.reviews.desk import Person
from csp.work.reviews.random_sample import random_order


@dataclass(frozen=True)
class Item:
    """A neuron of a queue, and why it stands there, a short phrase each."""

    neuron: int
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueueFacts:
    """All that queues look at, of one layer."""

    rows: NeuronRows
    reviewed: Mapping[int, NeuronReview]


def queue(name: str, facts: QueueFacts, person: Person) -> list[Item]:
    """The neurons of a queue of `QUEUES`, those that want it most first; BadInputError for another name."""
    if name not in QUEUES:
        raise BadInputError(f"there is no queue {name!r}; there are {', '.join(QUEUES)}")
    return list(QUEUES[name].items(facts, person))


def to_do(
    items: Iterable[Item], reviewed: Mapping[int, NeuronReview], person: Person, todo: str
) -> list[Item]:
    """The items that are left: `open` (nobody decided), `mine` (this person did not), `all`."""
    nobody = NeuronReview()
    return [item for item in items if not LEFT[todo][1](reviewed.get(item.neuron, nobody), person)]


LEFT: dict[str, tuple[str, Callable[[NeuronReview, Person], bool]]] = {
    "open": ("nobody judged yet", lambda state, person: bool(state.verdicts)),
    "mine": ("I did not judge yet", lambda state, person: person.who in state.verdicts),
    "all": ("judged ones too", lambda state, person: False),
}
"""By name: what is left in words, and whether a neuron is done."""


@dataclass(frozen=True)
class Queue:
    """One queue: its title, what is in it, and what is left to do there at first."""

    title: str
    holds: str
    items: Callable[[QueueFacts, Person], Iterable[Item]]
    todo: str


def _doubtful(facts: QueueFacts, person: Person) -> Iterable[Item]:
    """The most doubtful first."""
    frame = facts.rows.frame
    order = frame[frame["doubtful"]].sort_values("doubt", ascending=False, kind="stable")
    return [Item(row["neuron"], why_doubtful(row)) for row in order.to_dict("records")]


def _random_sample(facts: QueueFacts, person: Person) -> Iterable[Item]:
    """In the order in which they were drawn: the audit counts them from its beginning, without gaps."""
    frame = facts.rows.frame
    pairs = zip(frame["neuron"].tolist(), frame["machine_label"].tolist(), strict=True)
    labelled = [neuron for neuron, label in pairs if isinstance(label, str) and label]
    drawn = random_order(facts.rows.layer, labelled)
    return [Item(neuron, (f"drawn by chance, number {place}",)) for place, neuron in enumerate(drawn, 1)]


def _artefacts(facts: QueueFacts, person: Person) -> Iterable[Item]:
    """Those that push towards a class most first."""
    frame = facts.rows.frame
    suspects = frame[[bool(found) for found in frame["artefacts"]]]
    order = suspects.sort_values("push", ascending=False, na_position="last", kind="stable")
    for row in order.to_dict("records"):
        towards = row["push_class"]
        pushes = (f"pushes towards {towards}",) if isinstance(towards, str) else ()
        yield Item(row["neuron"], (f"follows {', '.join(row['artefacts'])}", *pushes))


def _disagreements(facts: QueueFacts, person: Person) -> Iterable[Item]:
    return _standing(facts, lambda state: f"{len(state.verdicts)} people differ" if state.disputed else "")


def _second_look(facts: QueueFacts, person: Person) -> Iterable[Item]:
    def asked(state: NeuronReview) -> str:
        flag = state.second_look
        if flag is None:
            return ""
        return f"{flag.reviewer} asks for a second look" + (f": {flag.reason}" if flag.reason else "")

    return _standing(facts, asked)


def _drafts(facts: QueueFacts, person: Person) -> Iterable[Item]:
    def mine(state: NeuronReview) -> str:
        draft = state.drafts.get(person.who)
        return "" if draft is None else f"your draft: {draft.label or draft.reason or 'no words yet'}"

    return _standing(facts, mine)


def _all(facts: QueueFacts, person: Person) -> Iterable[Item]:
    return (Item(neuron) for neuron in facts.rows.frame["neuron"].tolist())


QUEUES: dict[str, Queue] = {
    "doubtful": Queue("Doubtful", "labels that are hardly likely", _doubtful, "open"),
    "random-sample": Queue(
        "Random sample", "neurons drawn by chance, for the error rate of the audit", _random_sample, "open"
    ),
    "artefacts": Queue("Artefact suspects", "neurons that seem to follow an artefact", _artefacts, "open"),
    "disagreements": Queue("Disagreements", "neurons on which people differ", _disagreements, "mine"),
    "second-look": Queue("Second look", "neurons that somebody flagged", _second_look, "all"),
    "drafts": Queue("My drafts", "what you put aside", _drafts, "all"),
    "all": Queue("All neurons", "the whole layer", _all, "open"),
}


def _standing(facts: QueueFacts, why: Callable[[NeuronReview], str]) -> Iterable[Item]:
    """The neurons for whose state `why` says something, oldest review first."""
    for neuron, state in facts.reviewed.items():
        if reason := why(state):
            yield Item(neuron, (reason,))
