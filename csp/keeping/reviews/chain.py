"""The chain of hashes that makes any change of the record show.

    hash = sha256(canonical JSON of the event's row without `hash` and without empty (null) fields)

The row holds `previous_hash`, so that a hash stands for all that came before. Null fields are left out so
that a later version may add a field without changing the hash of an old event.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from csp.errors import UnavailableError
from csp.keeping.canonical_json import canonical_json
from csp.keeping.reviews.event import Entry, Event

GENESIS = "0" * 64
"""What the first event names as the hash before it."""


@dataclass(frozen=True)
class Head:
    """The newest event: its sequence (0: there is none) and hash."""

    sequence: int = 0
    hash: str = GENESIS


GENESIS_HEAD = Head()
"""Of an empty record."""


@dataclass(frozen=True)
class Verification:
    """What verification found; `first_bad` is the sequence of the first event that is not as recorded."""

    ok: bool
    events: int
    head: str
    first_bad: int | None = None
    problem: str | None = None


class DamagedRecordError(UnavailableError):
    """The record is not as it was written: nothing is read from it or added to it until that is explained."""

    def __init__(self, finding: Verification, message: str | None = None) -> None:
        super().__init__(
            message or f"the review record is damaged: {finding.problem}; see `csp review verify`"
        )
        self.finding = finding


@dataclass(frozen=True)
class NewEvents:
    """The events of a run after one that a reader knows."""

    head: Head
    events: tuple[Event, ...]
    afresh: bool = False
    """The reader's event is not in this record (it was replaced): `events` are all there are."""


def seal(entry: Entry, head: Head, at: datetime, label_before: str | None) -> Event:
    """The entry as the event after `head`."""
    row = replace(entry, at=entry.at or at).row() | {
        "label_before": label_before,
        "sequence": head.sequence + 1,
        "previous_hash": head.hash,
    }
    return Event.from_row(row | {"hash": row_hash(row)})


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash that an event with this row must have."""
    sealed = {name: value for name, value in row.items() if value is not None and name != "hash"}
    return hashlib.sha256(canonical_json(sealed).encode(errors="surrogatepass")).hexdigest()


def verify(
    rows: Iterable[Mapping[str, Any]], kept: Head | None = None, start: Head = GENESIS_HEAD
) -> Verification:
    """Check rows in the order of their sequence, beginning after `start`.

    `kept` is the head that the database noted beside the events: it must be the last in the chain, or the
    newest events were removed or written anew.
    """
    head = start
    for row in rows:
        if problem := _problem(row, head):
            return Verification(False, head.sequence, head.hash, head.sequence + 1, problem)
        head = Head(head.sequence + 1, row["hash"])
    if kept is not None and kept != head:
        return _other_end(head, kept)
    return Verification(True, head.sequence, head.hash)


def _other_end(head: Head, kept: Head) -> Verification:
    if head.sequence == kept.sequence:
        problem = f"event {head.sequence} is not the one that was recorded"
        return Verification(False, head.sequence, head.hash, head.sequence, problem)
    problem = f"the record ends with event {head.sequence}, but event {kept.sequence} was the newest recorded"
    return Verification(False, head.sequence, head.hash, min(head.sequence, kept.sequence) + 1, problem)


def _problem(row: Mapping[str, Any], head: Head) -> str | None:
    expected = head.sequence + 1
    if (found := row["sequence"]) != expected:
        if isinstance(found, int) and found < expected:
            return f"a row was put before event {expected}, as number {found}"
        return f"event {expected} is missing: the next one is {found}"
    if row["previous_hash"] != head.hash:
        return f"event {expected} does not follow from the one before it: removed, added or reordered"
    if not _has_its_hash(row):
        return f"event {expected} was changed after it was recorded"
    return None


def _has_its_hash(row: Mapping[str, Any]) -> bool:
    try:
        return bool(row_hash(row) == row["hash"])
    except (TypeError, ValueError):  # bytes, infinity: no event holds such a thing
        return False
