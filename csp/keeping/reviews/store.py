"""The way into the review record.

    reviews = open_reviews()                          # cheap: no database is touched yet
    answer = reviews.record(entry)                    # Recorded; the same token never counts twice
    reviews.events(run_fingerprint, "layer4", 17)     # oldest first; state.current(...) says where it stands
    reviews.verify(expect=hash_noted_elsewhere)       # Verification: names the first bad event

Safe to share between threads. Every fault of the database is an UnavailableError that says what to do;
then nothing, or all of the entry, is recorded, and sending it again with the same token is safe. What is read
was verified (`verified.py`); a record that is not as it was written gives DamagedRecordError instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from csp.errors import BadInputError
from csp.keeping.reviews.chain import GENESIS, DamagedRecordError, Head, NewEvents, Verification
from csp.keeping.reviews.event import Entry, Event, NeuronRef, Recorded, Reviewer
from csp.keeping.reviews.location import Location

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from csp.keeping.reviews.database import Database
    from csp.keeping.reviews.verified import History, VerifiedRecord

PATIENCE = 15.0
"""Seconds to wait for a lock or a database that restarts, before the person is told."""

LEASE = timedelta(minutes=15)
"""How long a claim lasts when its holder does nothing."""


def utc_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def open_reviews() -> Reviews:
    """The record that this machine is configured for; raises BadInputError for a wrong CSP_DATABASE_URL."""
    return Reviews(Location.configured())


class Reviews:
    """The record in one database."""

    def __init__(
        self,
        location: Location,
        patience: float = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.location = location
        self.patience = patience
        self._clock = clock
        self._opening = threading.Lock()
        self._opened: Database | None = None
        self._verified: VerifiedRecord | None = None

    def __enter__(self) -> Self:
        """The record itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; they open again when needed."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def record(self, entry: Entry, *, ask: bool = False) -> Recorded:
        """Record what a person says; `ask`: not when others said something that the person had not seen.

        Raises
        ------
        OvertakenError
            With `ask` only: it holds what others said meanwhile.
        BadInputError
            It may not be recorded: a text too long, a viewer, an unknown tag, nothing to undo or resolve, or
            a token that was used for something else.
        UnavailableError
            The database can't be used just now; nothing is lost by sending the entry again.
        """
        (answer,) = self.record_all([entry], ask=ask)
        if isinstance(answer, BadInputError):
            raise answer
        return answer

    def record_all(self, entries: Sequence[Entry], *, ask: bool = False) -> list[Recorded | BadInputError]:
        """Record many in one transaction; an entry that may not be recorded gives its error instead."""
        from csp.keeping.reviews import statements, verified

        now = self._clock()

        def work(connection: Connection) -> list[Recorded | BadInputError]:
            verified.newest(connection, lock=True)  # the next writer waits
            return statements.append(connection, self._record().read(connection), entries, now, ask)

        return self._database().write(work)

    def restore(self, events: Sequence[Event]) -> bool:
        """Take over a whole verified chain, hashes and all, if nothing is recorded yet; whether it did."""
        from csp.keeping.reviews import statements

        return self._database().write(lambda connection: statements.restore(connection, events))

    def events(
        self, run_fingerprint: str | None = None, layer: str | None = None, neuron: int | None = None
    ) -> list[Event]:
        """The events of a run, layer or neuron, or all, in order; DamagedRecordError."""
        if not self._exists():
            return []
        history = self._history()
        if run_fingerprint is not None and layer is not None and neuron is not None:
            return list(history.of(NeuronRef(run_fingerprint, layer, neuron)))
        return [
            event
            for event in history.events
            if run_fingerprint in (None, event.run_fingerprint)
            and layer in (None, event.layer)
            and neuron in (None, event.neuron)
        ]

    def news(self, run_fingerprint: str, known: Head) -> NewEvents:
        """What a run's reader who knows the record up to an event has missed; cheap when that is nothing."""
        if not self._exists():
            return NewEvents(Head(), (), known != Head())
        history = self._history()
        afresh = not history.holds(known)
        new = history.events[0 if afresh else known.sequence :]
        mine = tuple(event for event in new if event.run_fingerprint == run_fingerprint)
        head = Head(known.sequence + len(new), new[-1].hash) if new and not afresh else history.head
        return NewEvents(head, mine, afresh)

    def check(self) -> Verification:
        """Check what is new since this record was last read; what every page asks."""
        if not self._exists():
            return Verification(True, 0, GENESIS)
        return self._finding(lambda connection: self._record().check(connection))

    def verify(self, expect: str | None = None) -> Verification:
        """Check every event again, and the file; `expect` is the hash of some event, noted elsewhere."""
        hashes = {GENESIS}

        def work(connection: Connection) -> Verification:
            found, history = self._record().verify(connection)
            hashes.update(event.hash for event in history.events)
            return found

        finding = self._finding(work) if self._exists() else Verification(True, 0, GENESIS)
        if finding.ok and expect is not None and expect.strip().lower() not in hashes:
            problem = f"no event has the hash {expect}: events were removed or written anew"
            return Verification(False, finding.events, finding.head, None, problem)
        return finding

    def claim(self, places: Sequence[NeuronRef], who: Reviewer, lease: timedelta = LEASE) -> NeuronRef | None:
        """Take the first place that nobody else works on; a person holds one place at a time."""
        from csp.keeping.reviews import statements

        now = self._clock()
        return self._database().write(
            lambda connection: statements.claim(connection, places, who, now, lease)
        )

    def release(self, who: Reviewer) -> None:
        """Give back what a person holds."""
        from csp.keeping.reviews import statements

        self._database().write(lambda connection: statements.release(connection, who))

    def _history(self) -> History:
        return self._database().read(lambda connection: self._record().read(connection))

    def _finding(self, work: Callable[[Connection], Verification]) -> Verification:
        """What verification finds; that the database itself is damaged is a finding too."""
        try:
            return self._database().read(work)
        except DamagedRecordError as error:
            return error.finding

    def _record(self) -> VerifiedRecord:
        with self._opening:
            if self._verified is None:
                from csp.keeping.reviews.verified import VerifiedRecord

                self._verified = VerifiedRecord()
            return self._verified

    def _exists(self) -> bool:
        """Looking never creates the file, nor imports SQLAlchemy when there is none."""
        return self.location.path is None or self.location.path.exists()

    def _database(self) -> Database:
        with self._opening:
            if self._opened is None:
                from csp.keeping.reviews.database import Database

                self._opened = Database(self.location, self.patience)
            return self._opened
