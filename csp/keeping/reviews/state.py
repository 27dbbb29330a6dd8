"""Where a neuron stands: a pure function of its events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from csp.keeping.reviews.event import SAW_NONE, Event, NeuronRef, Reviewer
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.vocabulary import VERDICTS, Action

_DECISIONS = (*VERDICTS, Action.RESOLVE)


@dataclass(frozen=True)
class NeuronReview:
    """What people decided about one neuron."""

    events: tuple[Event, ...] = ()
    """Its whole history, oldest first, undone events included."""
    undone: frozenset[str] = frozenset()
    """Tokens of the events that were taken back."""
    verdicts: Mapping[Reviewer, Event] = field(default_factory=dict)
    """Each person's latest verdict, the newest last."""
    resolution: Event | None = None
    """The event that settled a dispute last."""
    disputed: bool = False
    """People's latest decisions differ, and nobody settled it since. `unsure` is no decision."""
    second_look: Event | None = None
    """The flag that still asks for one: until it is undone or someone else decides."""
    drafts: Mapping[Reviewer, Event] = field(default_factory=dict)
    """Each person's draft, until their next verdict."""
    counted: tuple[Event, ...] = ()
    """The decisions that count, the newest last: since a dispute was settled, that and what came after."""

    @property
    def deciding(self) -> Event | None:
        """The newest decision: its label is in force."""
        return self.counted[-1] if self.counted else None

    @property
    def source(self) -> Literal["person", "machine"]:
        """Whose label is in force."""
        return "machine" if self.deciding is None else "person"

    @property
    def machine_label(self) -> str | None:
        """The machine's label, as last seen by a reviewer."""
        labels = (event.machine_label for event in reversed(self.events))
        return next((label for label in labels if label), None)

    @property
    def label(self) -> str | None:
        """The label in force: a person's first, else the machine's; None after a reject."""
        return self.machine_label if self.deciding is None else self.deciding.label

    @property
    def verdict(self) -> Action | None:
        """The newest decision, `unsure` when people only said that, None when nobody said anything."""
        if self.deciding is not None:
            return self.deciding.verdict
        return Action.UNSURE if self.verdicts else None

    @property
    def seen(self) -> str:
        """What to give as `seen` with the next entry of someone who has this on the screen."""
        return self.events[-1].token if self.events else SAW_NONE


def current(events: Sequence[Event]) -> NeuronReview:
    """Where one neuron stands after its events, given in the order of their sequence."""
    undone = _undone(events)
    standing = [event for event in events if event.token not in undone]
    verdicts = _latest_verdicts(standing)
    resolution = next((event for event in reversed(standing) if event.verdict is Action.RESOLVE), None)
    counted = [event for event in verdicts.values() if event.verdict is not Action.UNSURE]
    if resolution is not None:
        counted = [resolution, *(event for event in counted if event.sequence > resolution.sequence)]
    return NeuronReview(
        events=tuple(events),
        undone=undone,
        verdicts=verdicts,
        resolution=resolution,
        disputed=len({same_label(event.label) for event in counted}) > 1,
        second_look=_second_look(standing),
        drafts=_drafts(standing),
        counted=tuple(counted),
    )


def by_neuron(events: Iterable[Event]) -> dict[NeuronRef, NeuronReview]:
    """Where every neuron that has events stands."""
    groups: dict[NeuronRef, list[Event]] = {}
    for event in events:
        groups.setdefault(event.place, []).append(event)
    return {place: current(group) for place, group in groups.items()}


def _undone(events: Sequence[Event]) -> frozenset[str]:
    """An undo that was itself undone does not count; it can only be undone by a later event."""
    undone: set[str] = set()
    for event in reversed(events):
        if event.verdict is Action.UNDO and event.undoes and event.token not in undone:
            undone.add(event.undoes)
    return frozenset(undone)


def _latest_verdicts(standing: Iterable[Event]) -> dict[Reviewer, Event]:
    """An imported verdict comes late in the sequence: it does not replace one that was made after it."""
    latest: dict[Reviewer, Event] = {}
    for event in standing:
        if event.verdict in VERDICTS:
            earlier = latest.get(event.who)
            if earlier is not None and event.imported and event.at < earlier.at:
                continue
            latest.pop(event.who, None)
            latest[event.who] = event
    return latest


def _second_look(standing: Iterable[Event]) -> Event | None:
    asked: Event | None = None
    for event in standing:
        if event.verdict is Action.FLAG:
            asked = event
        elif event.verdict in _DECISIONS and asked is not None and event.who != asked.who:
            asked = None
    return asked


def _drafts(standing: Iterable[Event]) -> dict[Reviewer, Event]:
    drafts: dict[Reviewer, Event] = {}
    for event in standing:
        if event.verdict is Action.DRAFT:
            drafts[event.who] = event
        elif event.verdict in _DECISIONS:
            drafts.pop(event.who, None)
    return drafts
