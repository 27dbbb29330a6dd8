"""The statements that write to the record: appending, claims. Each runs inside the caller's transaction."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from csp.errors import BadInputError
from csp.keeping.reviews import chain, checks
from csp.keeping.reviews.event import Entry, Event, NeuronRef, Recorded, Reviewer
from csp.keeping.reviews.normalise import tidy
from csp.keeping.reviews.schema import CLAIMS, EVENTS, HEAD
from csp.keeping.reviews.state import current
from csp.keeping.reviews.verified import History, newest


def append(
    connection: Connection, history: History, entries: Sequence[Entry], now: datetime, ask: bool
) -> list[Recorded | BadInputError]:
    """Record entries one after the other; an entry that may not be recorded gives its error instead.

    `history` is what was recorded so far. `ask`: one whose author had not seen what others said is not
    recorded either (OvertakenError).
    """
    ours = History()
    answers: list[Recorded | BadInputError] = []
    for entry in entries:
        try:
            answer = _append(connection, history, ours, entry, now, ask)
        except BadInputError as error:
            answers.append(error)
            continue
        answers.append(answer)
        if not answer.repeated:
            ours.extend([answer.event])
    if ours.events:
        connection.execute(update(HEAD), dataclasses.asdict(ours.head))
    return answers


def restore(connection: Connection, events: Sequence[Event]) -> bool:
    """Take over a whole chain as it is, into an empty record; False, and nothing done, if it isn't."""
    if newest(connection, lock=True).sequence or not events:
        return False
    for event in events:
        connection.execute(insert(EVENTS), event.row())
    connection.execute(update(HEAD).values(sequence=events[-1].sequence, hash=events[-1].hash))
    return True


def claim(
    connection: Connection, places: Sequence[NeuronRef], who: Reviewer, now: datetime, lease: timedelta
) -> NeuronRef | None:
    """Take the first place that nobody else holds, giving back what the person held before."""
    newest(connection, lock=True)
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


def _append(
    connection: Connection, history: History, ours: History, entry: Entry, now: datetime, ask: bool
) -> Recorded:
    entry, notes = tidy(entry)
    if (known := history.with_token(entry.token) or ours.with_token(entry.token)) is not None:
        if checks.says_the_same(entry, known):
            return Recorded(known, repeated=True)
        raise BadInputError(
            f"this was recorded already as event {known.sequence} ({known.verdict} by {known.reviewer} on "
            f"neuron {known.neuron} of {known.layer}), with other words; to change it, decide anew"
        )
    state = current([*history.of(entry.place), *ours.of(entry.place)])
    missed = checks.missed(entry, state)
    if ask:
        checks.refuse_overtaken(entry, missed)
    checks.check(entry, state)
    before = state.label if state.events else entry.machine_label
    head = ours.head if ours.events else history.head
    event = chain.seal(entry, head, now, before if entry.at is None else entry.label_before)
    connection.execute(insert(EVENTS), event.row())
    return Recorded(event, missed=missed, notes=notes)


def _alive(since: str, now: datetime, lease: timedelta) -> bool:
    """A claim from the future (a clock went backwards) lasts no longer than another; a damaged one not."""
    try:
        return abs(now - datetime.fromisoformat(since).astimezone(UTC)) < lease
    except (TypeError, ValueError, OverflowError):
        return False
