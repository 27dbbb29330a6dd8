"""The statements of the record: appending, reading, claims. Each runs inside the caller's transaction."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from csp.errors import BadInputError, BadRunError
from csp.keeping.reviews import chain, checks
from csp.keeping.reviews.chain import Head, NewEvents, Verification
from csp.keeping.reviews.event import Entry, Event, NeuronRef, Recorded, Reviewer
from csp.keeping.reviews.normalise import tidy
from csp.keeping.reviews.schema import CLAIMS, EVENTS, HEAD
from csp.keeping.reviews.state import current


def append(
    connection: Connection, entries: Sequence[Entry], now: datetime, ask: bool
) -> list[Recorded | BadInputError]:
    """Record entries one after the other; an entry that may not be recorded gives its error instead.

    `ask`: one whose author had not seen what others said is not recorded either (OvertakenError).
    """
    first = head = _lock(connection)
    answers: list[Recorded | BadInputError] = []
    for entry in entries:
        try:
            answer = _append(connection, entry, head, now, ask)
        except BadInputError as error:
            answers.append(error)
            continue
        answers.append(answer)
        if not answer.repeated:
            head = Head(answer.event.sequence, answer.event.hash)
    if head != first:
        connection.execute(update(HEAD), dataclasses.asdict(head))
    return answers


def restore(connection: Connection, events: Sequence[Event]) -> bool:
    """Take over a whole chain as it is, into an empty record; False, and nothing done, if it isn't."""
    if _lock(connection).sequence or not events:
        return False
    for event in events:
        connection.execute(insert(EVENTS), event.row())
    connection.execute(update(HEAD).values(sequence=events[-1].sequence, hash=events[-1].hash))
    return True


def events(
    connection: Connection,
    run_fingerprint: str | None = None,
    layer: str | None = None,
    neuron: int | None = None,
    after: int = 0,
) -> list[Event]:
    """The events of a run, layer or neuron (None: of all), in order, those after a sequence."""
    wanted = {"run_fingerprint": run_fingerprint, "layer": layer, "neuron": neuron}
    query = select(EVENTS).where(EVENTS.c.sequence > after).order_by(EVENTS.c.sequence)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(EVENTS.c[name] == value)
    return [Event.from_row(row) for row in _rows(connection, query)]


def verify(connection: Connection, expect: str | None, since: Head) -> Verification:
    """Check the chain after `since` against itself, the noted head and an expected hash."""
    rows = _rows(
        connection, select(EVENTS).where(EVENTS.c.sequence > since.sequence).order_by(EVENTS.c.sequence)
    )
    return chain.verify(rows, _head(connection), expect, since)


def news(connection: Connection, run_fingerprint: str, known: Head) -> NewEvents:
    """The newest event, and the run's events after a known one."""
    newest = _head(connection)
    if newest == known:
        return NewEvents(newest, ())
    query = select(EVENTS.c.hash).where(EVENTS.c.sequence == known.sequence)
    afresh = known != Head() and connection.scalar(query) != known.hash
    after = 0 if afresh else known.sequence
    return NewEvents(newest, tuple(events(connection, run_fingerprint, after=after)), afresh)


def claim(
    connection: Connection, places: Sequence[NeuronRef], who: Reviewer, now: datetime, lease: timedelta
) -> NeuronRef | None:
    """Take the first place that nobody else holds, giving back what the person held before."""
    _lock(connection)
    held = {
        NeuronRef(*row[:3])
        for row in connection.execute(select(CLAIMS))
        if Reviewer(row.reviewer, row.reviewer_verified) != who and _alive(row.at, now, lease)
    }
    release(connection, who)
    place = next((place for place in places if place not in held), None)
    if place is not None:
        mine = place._asdict()
        connection.execute(delete(CLAIMS).filter_by(**mine))
        values = {"reviewer": who.name, "reviewer_verified": who.verified, "at": now.isoformat()}
        connection.execute(insert(CLAIMS), mine | values)
    return place


def release(connection: Connection, who: Reviewer) -> None:
    """Give back what a person holds."""
    connection.execute(delete(CLAIMS).filter_by(reviewer=who.name, reviewer_verified=who.verified))


def _append(connection: Connection, entry: Entry, head: Head, now: datetime, ask: bool) -> Recorded:
    entry, notes = tidy(entry)
    if (known := _by_token(connection, entry.token)) is not None:
        if checks.says_the_same(entry, known):
            return Recorded(known, repeated=True)
        raise BadInputError(
            f"this was recorded already as event {known.sequence} ({known.verdict} by {known.reviewer} on "
            f"neuron {known.neuron} of {known.layer}), with other words; to change it, decide anew"
        )
    state = current(events(connection, *entry.place))
    missed = checks.missed(entry, state)
    if ask:
        checks.refuse_overtaken(entry, missed)
    checks.check(entry, state)
    before = state.label if state.events else entry.machine_label
    event = chain.seal(entry, head, now, before if entry.at is None else entry.label_before)
    connection.execute(insert(EVENTS), event.row())
    return Recorded(event, missed=missed, notes=notes)


def _lock(connection: Connection) -> Head:
    """The newest event, locked until the transaction ends, so that the next writer waits."""
    row = connection.execute(select(HEAD).with_for_update()).one_or_none()
    if row is None:
        raise BadRunError("the review record lost its newest hash: see `csp review verify`")
    return Head(row.sequence, row.hash)


def _head(connection: Connection) -> Head:
    row = connection.execute(select(HEAD)).one_or_none()
    return Head() if row is None else Head(row.sequence, row.hash)


def _by_token(connection: Connection, token: str) -> Event | None:
    row = next(_rows(connection, select(EVENTS).where(EVENTS.c.token == token)), None)
    return None if row is None else Event.from_row(row)


def _rows(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    return (dict(row) for row in connection.execute(query).mappings())


def _alive(since: str, now: datetime, lease: timedelta) -> bool:
    """A claim from the future (a clock went backwards) lasts no longer than another."""
    return abs(now - datetime.fromisoformat(since).astimezone(UTC)) < lease
