"""What a person says about a neuron: one record from the drawing of the page to the chain of events.

An `Entry` begins with what is on the screen, takes the verdict from a press of a key and the name from the
desk; an `Event` is the same record in its place in the chain.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from csp.errors import BadRunError
from csp.keeping.canonical_json import canonical_json
from csp.keeping.reviews.vocabulary import Action, Role

SAW_NONE = "none"
"""`seen` of someone who saw that nobody had reviewed the neuron."""


def new_token() -> str:
    """A token for one press of a button: the same token is recorded once, however often it is sent."""
    return str(uuid.uuid4())


class Reviewer(NamedTuple):
    """A reviewer: a name that was verified (signed in) and the same name merely typed are two people."""

    name: str
    verified: bool

    @property
    def words(self) -> str:
        """The name as screens and reports show it: one that was only typed says so."""
        return self.name if self.verified else f"{self.name} (name not checked)"


class NeuronRef(NamedTuple):
    """One neuron of one run."""

    run_fingerprint: str
    layer: str
    neuron: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person says, and what was on the screen.

    The desk fills in the run, the reviewer and what is left out of the screen's facts; recording fills in
    `at` and `label_before`, unless `at` is given.
    """

    run_fingerprint: str = ""
    run: str = ""
    layer: str
    neuron: int
    verdict: Action
    label: str | None = None
    """The label after it in this person's eyes; None: no label fits, or nothing said."""
    label_before: str | None = None
    """The label in force when it was recorded."""
    machine_label: str | None = None
    """The machine's first label: kept beside the person's, never replaced by it."""
    reviewer: str = ""
    reviewer_verified: bool = False
    role: Role = Role.REVIEWER
    at: datetime | None = None
    """When (UTC), by this machine's clock; the order of events is their sequence, not this."""
    reason: str = ""
    tags: tuple[str, ...] = ()
    labeler: str | None = None
    """With `gamma`, `examples`, `contrast`, `blind` and `app_version`: what was on the screen."""
    gamma: float | None = None
    examples: int | None = None
    contrast: str | None = None
    """The contrast rule as text; `mean` is the paper's."""
    blind: bool = False
    """Whether the machine's label was hidden."""
    app_version: str | None = None
    token: str = field(default_factory=new_token)
    undoes: str | None = None
    """Token of the event that an undo takes back."""
    seen: str | None = None
    """Token of the neuron's newest event on screen, `SAW_NONE`, or None: not stated."""
    imported: str | None = None
    """JSON on where an imported event comes from; None: recorded here."""

    @property
    def who(self) -> Reviewer:
        """The person."""
        return Reviewer(self.reviewer, self.reviewer_verified)

    @property
    def place(self) -> NeuronRef:
        """The neuron."""
        return NeuronRef(self.run_fingerprint, self.layer, self.neuron)

    def row(self) -> dict[str, Any]:
        """As the database stores it: text, whole numbers, reals and truth values only."""
        row = {one.name: getattr(self, one.name) for one in fields(self)}
        at = None if self.at is None else self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return row | {
            "verdict": str(self.verdict),
            "role": str(self.role),
            "tags": canonical_json(list(self.tags)),
            "gamma": None if self.gamma is None else float(self.gamma),
            "at": at,
        }


@dataclass(frozen=True, kw_only=True)
class Event(Entry):
    """An entry in its place in the chain."""

    at: datetime
    sequence: int
    previous_hash: str
    hash: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The event that a database row holds; BadRunError when it can't be read."""
        try:
            parsed = {
                "verdict": Action(row["verdict"]),
                "role": Role(row["role"]),
                "tags": tuple(json.loads(row["tags"])),
                "at": datetime.fromisoformat(row["at"]),
            }
        except (ValueError, TypeError):
            raise BadRunError(
                f"event {row['sequence']} of the review record can't be read; see `csp review verify`"
            ) from None
        return cls(**(dict(row) | parsed))


@dataclass(frozen=True)
class Recorded:
    """The answer to an entry."""

    event: Event
    repeated: bool = False
    """Whether the token was recorded already; nothing was added then."""
    missed: tuple[Event, ...] = ()
    """Events on the same neuron that came in after what the person had on screen, oldest first."""
    notes: tuple[str, ...] = ()
    """What was changed in the text before it was recorded, a sentence each."""
