"""What may be recorded."""

from csp.errors import BadInputError
from csp.keeping.reviews.event import SAW_NONE, Entry, Event
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import TAGS, Action, Role


class OvertakenError(BadInputError):
    """Others said something about the neuron that the author of an entry had not seen."""

    def __init__(self, entry: Entry, missed: tuple[Event, ...]) -> None:
        who = ", ".join(dict.fromkeys(event.reviewer for event in missed))
        super().__init__(f"meanwhile {who} judged neuron {entry.neuron} of {entry.layer}: look at it again")
        self.missed = missed


_SAID = ("place", "verdict", "label", "reviewer", "reason", "tags", "undoes")


def check(entry: Entry, state: NeuronReview) -> None:
    """Raise BadInputError when the entry may not follow where its neuron stands."""
    if entry.role is Role.VIEWER:
        raise BadInputError(f"{entry.reviewer} may only look: ask an admin for the role of a reviewer")
    if unknown := [tag for tag in entry.tags if tag not in TAGS]:
        raise BadInputError(f"there is no tag {unknown[0]!r}; there are {', '.join(TAGS)}")
    if entry.verdict is Action.CONFIRM and not entry.label:
        raise BadInputError("there is no label to confirm: the machine has none; override it with your own")
    if entry.verdict is Action.OVERRIDE and not entry.label:
        raise BadInputError("an override needs a label; write one, or reject the machine's")
    if entry.verdict is Action.RESOLVE and entry.imported is None:
        _check_resolve(entry, state)
    if entry.verdict is Action.UNDO:
        _check_undo(entry, state)


def says_the_same(entry: Entry, event: Event) -> bool:
    """Whether an entry with a token that was recorded says what was recorded."""
    return all(getattr(entry, name) == getattr(event, name) for name in _SAID)


def missed(entry: Entry, state: NeuronReview) -> tuple[Event, ...]:
    """The events that the person had not seen."""
    if entry.seen is None:
        return ()
    tokens = [SAW_NONE, *(event.token for event in state.events)]
    return state.events[tokens.index(entry.seen) if entry.seen in tokens else 0 :]


def refuse_overtaken(entry: Entry, missed: tuple[Event, ...]) -> None:
    """Raise OvertakenError when others are among those whose events were missed."""
    if others := tuple(event for event in missed if event.who != entry.who):
        raise OvertakenError(entry, others)


def _check_resolve(entry: Entry, state: NeuronReview) -> None:
    if not state.disputed:
        raise BadInputError(f"nobody disagrees on neuron {entry.neuron} of {entry.layer}: nothing to resolve")
    if entry.who in state.verdicts:
        raise BadInputError(
            f"{entry.reviewer} is part of the dispute on neuron {entry.neuron} of {entry.layer}: "
            "someone else must resolve it"
        )


def _check_undo(entry: Entry, state: NeuronReview) -> None:
    target = next((event for event in state.events if event.token == entry.undoes), None)
    where = f"on neuron {entry.neuron} of {entry.layer}"
    if target is None:
        named = "that is named" if entry.undoes is None else repr(entry.undoes)
        raise BadInputError(f"there is no event {named} {where} to undo")
    if target.token in state.undone:
        raise BadInputError(f"the {target.verdict} by {target.reviewer} {where} was undone already")
    admin = entry.role is Role.ADMIN and (entry.imported is None or target.imported is not None)
    if target.who != entry.who and not admin:
        raise BadInputError(
            f"the {target.verdict} {where} is by {target.reviewer}: only they or an admin can undo it"
        )
