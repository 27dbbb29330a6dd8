"""Reviews of one run: what pages and commands call.

    desk = open_reviewing("demo")                            # or ReviewDesk(explorer.run, open_reviews())
    ann = Person(name="Ann")                                 # typed name: unverified
    state = desk.neuron("layer4", 17)                        # NeuronReview: .label .source .disputed .events
    entry = Entry(layer="layer4", neuron=17, verdict=Action.CONFIRM, seen=state.seen)  # makes its own token
    answer = desk.record(ann, entry)                         # Recorded: .event .repeated .missed .notes
    desk.undo(ann, answer.event, token=new_token())
    desk.reviewed("layer4")                                  # {neuron: NeuronReview}, for tables and search
    desk.overview()                                          # DataFrame, one row a reviewed neuron
    desk.claim(ann, [("layer4", 3), ("layer4", 17)])         # the first that nobody else works on

A write that fails with UnavailableError recorded nothing or all: keep the `Entry`, and send it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from csp.errors import BadInputError, NotFoundError
from csp.keeping.library.find import find_run
from csp.keeping.reviews.event import Entry, Event, NeuronRef, Recorded, Reviewer
from csp.keeping.reviews.normalise import together
from csp.keeping.reviews.state import NeuronReview, by_neuron, current
from csp.keeping.reviews.store import Reviews, open_reviews
from csp.keeping.reviews.vocabulary import VERDICTS, Action, Role
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.labels.stored import StoredLabels
from csp.work.labels.stored_facets import StoredFacets

Spot = tuple[str, int]
"""A layer and a neuron of it."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is at the screen."""

    name: str
    verified: bool = False
    """Whether someone checked that it is them; a typed name is not."""
    role: Role = Role.REVIEWER

    @property
    def who(self) -> Reviewer:
        """As the record knows them."""
        return Reviewer(self.name, self.verified)


def may(person: Person, role: Role, what: str) -> None:
    """Raise BadInputError unless the person has the role, or a higher one."""
    roles = (Role.VIEWER, Role.REVIEWER, Role.ADMIN)
    if roles.index(person.role) < roles.index(role):
        name = person.name or "a viewer"
        raise BadInputError(f"{name} may only look: it takes the role of {role} to {what}; ask an admin")


class ReviewDesk:
    """The record as far as it concerns one run."""

    def __init__(self, run: Run, reviews: Reviews) -> None:
        self.run = run
        self.reviews = reviews

    def record(self, person: Person, entry: Entry, *, ask: bool = False) -> Recorded:
        """Record what a person says; `ask`: not when others said something meanwhile that they had not seen.

        Raises BadInputError (OvertakenError among them), NotFoundError or UnavailableError.
        """
        may(person, Role.REVIEWER, "decide")
        self.check(entry.layer, entry.neuron)
        if entry.label and not entry.label.strip("; \\"):
            raise BadInputError(f"the label {entry.label!r} holds no word; write what the neuron looks for")
        machine = entry.machine_label or self.machine_label(entry.layer, entry.neuron)
        given = self.run.manifest.parameters
        complete = replace(
            entry,
            run_fingerprint=self.run.fingerprint,
            run=self.run.name,
            label=machine if entry.verdict is Action.CONFIRM and not entry.label else entry.label,
            machine_label=machine,
            reviewer=person.name,
            reviewer_verified=person.verified,
            role=person.role,
            labeler=entry.labeler or self._labels.first_labeler(entry.layer),
            gamma=given.gamma if entry.gamma is None else entry.gamma,
            examples=given.k if entry.examples is None else entry.examples,
            contrast=given.contrast if entry.contrast is None else entry.contrast,
            app_version=csp_version(),
        )
        return self.reviews.record(complete, ask=ask)

    def undo(self, person: Person, event: Event, *, token: str, seen: str | None = None) -> Recorded:
        """Take an event back by a new one."""
        return self.record(person, undoing(event, token, seen))

    def neuron(self, layer: str, neuron: int) -> NeuronReview:
        """Where one neuron stands."""
        return current(self.reviews.events(self.run.fingerprint, layer, neuron))

    def reviewed(self, layer: str) -> dict[int, NeuronReview]:
        """Where every neuron of a layer stands that has events."""
        events = self.reviews.events(self.run.fingerprint, layer)
        return {place.neuron: state for place, state in by_neuron(events).items()}

    def events(self) -> list[Event]:
        """Every event of the run, in order."""
        return self.reviews.events(self.run.fingerprint)

    def states(self) -> dict[Spot, NeuronReview]:
        """Where every neuron of the run stands that has events."""
        return {(place.layer, place.neuron): state for place, state in by_neuron(self.events()).items()}

    def overview(self) -> pd.DataFrame:
        """One row a reviewed neuron, in the order of first review."""
        rows = [_overview_row(spot, state) for spot, state in self.states().items()]
        return pd.DataFrame(rows, columns=list(_OVERVIEW))

    def recent(self, person: Person, count: int = 10) -> list[Event]:
        """The person's newest verdicts that stand, newest first: each can be undone."""
        mine = [
            event
            for state in self.states().values()
            for event in state.events
            if event.who == person.who and event.verdict in VERDICTS and event.token not in state.undone
        ]
        return sorted(mine, key=lambda event: -event.sequence)[:count]

    def claim(self, person: Person, spots: Sequence[Spot]) -> Spot | None:
        """Take the first neuron that nobody else works on, giving back the one held before.

        Raises BadInputError for a viewer, UnavailableError as `record` does.
        """
        may(person, Role.REVIEWER, "take a neuron")
        places = [NeuronRef(self.run.fingerprint, layer, neuron) for layer, neuron in spots]
        taken = self.reviews.claim(places, person.who)
        return None if taken is None else (taken.layer, taken.neuron)

    def check(self, layer: str, neuron: int) -> None:
        """Raise NotFoundError when the run has no such neuron."""
        count = self.run.layer(layer).neurons
        if not 0 <= neuron < count:
            raise NotFoundError(f"layer {layer!r} has no neuron {neuron}: it has {count}, counted from 0")

    def machine_label(self, layer: str, neuron: int) -> str | None:
        """What the machine says: the first label as stored, with those of further facets."""
        found = self._facets.machine_labels(layer).get(neuron)
        return together(found) if found else None

    @cached_property
    def _labels(self) -> StoredLabels:
        return StoredLabels(self.run)

    @cached_property
    def _facets(self) -> StoredFacets:
        return StoredFacets(self.run, self._labels)


def undoing(event: Event, token: str, seen: str | None) -> Entry:
    """What takes an event back."""
    return Entry(
        layer=event.layer,
        neuron=event.neuron,
        verdict=Action.UNDO,
        undoes=event.token,
        token=token,
        seen=seen,
    )


def open_reviewing(run: str) -> ReviewDesk:
    """The reviews of a run, by its name or folder."""
    return ReviewDesk(Run.open(find_run(run)), open_reviews())


_OVERVIEW = (
    *("layer", "neuron", "verdict", "label", "machine_label", "source", "reviewers"),
    *("disputed", "resolved", "second_look", "drafts", "tags", "events", "at"),
)


def _overview_row(spot: Spot, state: NeuronReview) -> tuple[object, ...]:
    standing = [event for event in state.events if event.token not in state.undone]
    return (
        *spot,
        None if state.verdict is None else str(state.verdict),
        state.label,
        state.machine_label,
        state.source,
        [who.name for who in state.verdicts],
        state.disputed,
        state.resolution is not None,
        state.second_look is not None,
        [who.name for who in state.drafts],
        sorted({tag for event in standing for tag in event.tags}),
        len(state.events),
        state.events[-1].at,
    )
