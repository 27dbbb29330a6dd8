"""The one path on which events leave the database: each was verified in its place in the chain.

A first reading takes all rows of the table as they lie and puts them in order itself: no index, which may be
damaged, decides what is found. What was verified stays in memory, so that a later reading takes only the
rows that follow and fits them to the chain.
"""

import threading
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from csp.errors import BadRunError
from csp.keeping.reviews import chain
from csp.keeping.reviews.chain import GENESIS_HEAD, DamagedRecordError, Head, Verification
from csp.keeping.reviews.event import Event, NeuronRef
from csp.keeping.reviews.schema import EVENTS, HEAD


class History:
    """Events in order, found by token and by neuron."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self._by_token: dict[str, Event] = {}
        self._by_neuron: dict[NeuronRef, list[Event]] = {}
        self.extend(events)

    def extend(self, events: Iterable[Event]) -> None:
        """Add the events that follow."""
        for event in events:
            self._by_token[event.token] = event
            self._by_neuron.setdefault(event.place, []).append(event)
            self.events.append(event)

    @property
    def head(self) -> Head:
        """The newest event."""
        return Head(self.events[-1].sequence, self.events[-1].hash) if self.events else GENESIS_HEAD

    def holds(self, head: Head) -> bool:
        """Whether an event with this sequence and hash is among them; the time before the first is."""
        if head == GENESIS_HEAD:
            return True
        return 0 < head.sequence <= len(self.events) and self.events[head.sequence - 1].hash == head.hash

    def with_token(self, token: str) -> Event | None:
        """The event that was recorded with a token."""
        return self._by_token.get(token)

    def of(self, place: NeuronRef) -> Sequence[Event]:
        """The events of one neuron."""
        return self._by_neuron.get(place, ())


class VerifiedRecord:
    """What of a record was verified so far; threads may share it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._history = History()

    def check(self, connection: Connection) -> Verification:
        """Verify what is new since the last reading, or all when that no longer fits."""
        with self._turn:
            return self._read_on(connection)

    def read(self, connection: Connection) -> History:
        """All events as of now; DamagedRecordError when they are not as they were recorded."""
        with self._turn:
            finding = self._read_on(connection)
            if not finding.ok:
                raise DamagedRecordError(finding)
            return self._history

    def verify(self, connection: Connection) -> tuple[Verification, History]:
        """Verify every event again, and the file that holds them."""
        with self._turn:
            finding, events = _verified(connection, GENESIS_HEAD)
            if finding.ok and (problem := _file_problem(connection)):
                finding = Verification(False, finding.events, finding.head, None, problem)
            self._history = History(events if finding.ok else ())
            return finding, self._history

    def _read_on(self, connection: Connection) -> Verification:
        known = self._history.head
        finding, events = _verified(connection, known)
        if finding.ok:
            self._history.extend(events)
        elif known != GENESIS_HEAD:  # another record may have taken its place: then all is new
            finding, events = _verified(connection, GENESIS_HEAD)
            self._history = History(events if finding.ok else ())
        return finding


def newest(connection: Connection, *, lock: bool = False) -> Head:
    """The newest event as noted beside the events; `lock` it until the transaction ends.

    DamagedRecordError when not exactly one is noted; none counts as that of an empty record, unless locked.
    """
    query = select(HEAD).with_for_update() if lock else select(HEAD)
    noted = connection.execute(query).all()
    if len(noted) > 1 or (lock and not noted):
        problem = f"it notes {len(noted)} newest events instead of one"
        raise DamagedRecordError(Verification(False, 0, GENESIS_HEAD.hash, None, problem))
    return Head(noted[0].sequence, noted[0].hash) if noted else GENESIS_HEAD


def _verified(connection: Connection, after: Head) -> tuple[Verification, list[Event]]:
    """The events after one that was verified, and whether they, and the noted newest one, fit to it."""
    try:
        noted = newest(connection)
        if noted == after != GENESIS_HEAD:
            return Verification(True, after.sequence, after.hash), []
        query = select(EVENTS)
        if after != GENESIS_HEAD:
            query = query.where(EVENTS.c.sequence > after.sequence)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        rows.sort(key=lambda row: row["sequence"])
        finding = chain.verify(rows, noted, after)
        return finding, [Event.from_row(row) for row in rows] if finding.ok else []
    except DamagedRecordError as error:
        return error.finding, []
    except BadRunError as error:
        return Verification(False, after.sequence, after.hash, None, str(error)), []
    except (TypeError, ValueError, OverflowError) as error:  # a field that no event of ours has
        problem = f"a row of it can't be read ({error})"
        return Verification(False, after.sequence, after.hash, None, problem), []


def _file_problem(connection: Connection) -> str | None:
    """What is wrong with an SQLite file beside its events, such as an index that leads astray."""
    if connection.dialect.name != "sqlite":
        return None
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if found == "ok":
        return None
    return f"its file is damaged ({str(found).strip().splitlines()[-1]}): restore it from a backup"
