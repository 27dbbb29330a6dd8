"""Damage to a review record: flipped bits and deliberate changes, on SQLite and on PostgreSQL.

After each the record is looked at as pages do and as `csp review verify` does.
"""

import dataclasses
import random
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.damage.changes import Change, drawn_changes
from benchmarks.damage.tally import AS_BEFORE, FOUND, LOST, Tally
from csp.errors import CspError
from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action

EVENTS, NEURONS = 200, 30
PATIENCE = 0.2
"""Seconds: nobody else is at the record."""
IMPATIENT = "-c lock_timeout=60s"


def said(number: int) -> Entry:
    """What somebody says, the same for the same number."""
    return Entry(
        run_fingerprint="f" * 64,
        run="flipped",
        layer="late",
        neuron=number % NEURONS,
        verdict=Action.OVERRIDE,
        label=f"label {number}",
        reviewer=f"Reviewer {number % 7}",
        gamma=0.5,
        examples=30,
        token=f"token-{number}",
    )


def make_record(location: Location) -> list[Event]:
    """A record of a few hundred events on some neurons."""
    with Reviews(location) as reviews:
        reviews.record_all([said(number) for number in range(EVENTS)])
        return reviews.events()


def flip_record(record: Path, flips: int, seed: int) -> Tally:
    """Flip bits of a closed SQLite record, one at a time, in a copy."""
    with Reviews(Location(path=record)) as reviews:
        events = reviews.events()
    content, chance, tally = record.read_bytes(), random.Random(seed), Tally()
    for bit in (chance.randrange(8 * len(content)) for _ in range(flips)):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "reviews.sqlite"
            copy.write_bytes(flipped(content, bit))
            tally.add(f"bit {bit} of the record", look, Location(path=copy), events)
    return tally


def flipped(content: bytes, bit: int) -> bytes:
    """The content with one bit the other way round."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def change_sqlite(record: Path, changes: int, seed: int) -> Tally:
    """Change a closed SQLite record deliberately, in a copy, as one does who may do anything with it."""
    with Reviews(Location(path=record)) as reviews:
        events = reviews.events()
    tally, drawn = Tally(), drawn_changes("sqlite", events, random.Random(seed))
    while tally.tried < changes:
        change = next(drawn)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "reviews.sqlite"
            copy.write_bytes(record.read_bytes())
            if _done(_on_sqlite, copy, change):
                tally.add(str(change), look_and_go_on, Location(path=copy), events)
    return tally


def change_postgresql(url: str, changes: int, seed: int) -> Tally:
    """The same in a database of PostgreSQL, made anew after each."""
    location, tally = emptied(url), Tally()
    events = make_record(location)
    drawn = drawn_changes("postgresql", events, random.Random(seed))
    while tally.tried < changes:
        change = next(drawn)
        if _done(_on_postgresql, url, change):
            tally.add(str(change), look_and_go_on, location, events)
        with Reviews(emptied(url)) as reviews:
            reviews.restore(events)
    return tally


def flip_values(url: str, flips: int, seed: int) -> Tally:
    """Flip one bit of one stored value of PostgreSQL at a time, and back again."""
    location, chance, tally = emptied(url), random.Random(seed), Tally()
    events = make_record(location)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE review_events DISABLE TRIGGER USER")
    while tally.tried < flips:
        event = chance.choice(events)
        column, value = chance.choice(list((event.row() | {"hash": event.hash}).items()))
        other = _value_flipped(value, chance)
        update = f"UPDATE review_events SET {column} = %s WHERE token = %s"  # a column of ours
        token = other if column == "token" else event.token
        with psycopg.connect(url, autocommit=True) as connection:
            try:
                connection.execute(update, [other, event.token])
            except psycopg.Error:  # no such value can be stored
                continue
            tally.add(f"{column} of event {event.sequence} as {other!r}", look, location, events)
            connection.execute(update, [value, token])
    return tally


def look(location: Location, events: list[Event]) -> str:
    """Read as pages do, then verify as the command does."""
    place = events[0].place
    with Reviews(location, patience=PATIENCE) as reviews:
        sound = reviews.check().ok
        shown = True
        if sound:
            mine = [event for event in events if event.place == place]
            shown = reviews.events() == events and reviews.events(*place) == mine
    with Reviews(location, patience=PATIENCE) as others:
        if not others.verify().ok:
            return FOUND if shown else LOST
    if not sound:
        return FOUND
    return AS_BEFORE if shown else LOST


def look_and_go_on(location: Location, events: list[Event]) -> str:
    """The same; then record a verdict more, which is kept after those before it, or refused, or found
    missing."""
    outcome = look(location, events)
    return LOST if outcome == AS_BEFORE and not _goes_on(location, events) else outcome


def _goes_on(location: Location, events: list[Event]) -> bool:
    with Reviews(location, patience=PATIENCE) as reviews:
        try:
            new = reviews.record(dataclasses.replace(said(EVENTS), token="one-more")).event
        except CspError:
            return True
    with Reviews(location, patience=PATIENCE) as others:
        return not others.verify().ok or others.events() == [*events, new]


def _done(work: Callable[[Any, Change], None], where: Any, change: Change) -> bool:
    """Whether the database let the change be made."""
    try:
        work(where, change)
    except (sqlite3.Error, psycopg.Error):
        return False
    return True


def _on_sqlite(path: Path, change: Change) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("PRAGMA writable_schema = ON")
        database.execute("PRAGMA ignore_check_constraints = ON")
        for statement in change:
            database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _on_postgresql(url: str, change: Change) -> None:
    with psycopg.connect(url, options=IMPATIENT) as connection:
        for table in ("review_events", "review_head"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in change:
            connection.execute(statement)  # type: ignore[call-overload] # a text of ours


def emptied(url: str) -> Location:
    """The database of PostgreSQL, with nothing in it; an error where a connection that should be closed still
    holds a lock."""
    with psycopg.connect(url, autocommit=True, options=IMPATIENT) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("DROP SCHEMA IF EXISTS postgres CASCADE")
    return Location.of(url)


def _value_flipped(value: Any, chance: random.Random) -> Any:
    """A value of the same type with one bit the other way round; None becomes a text."""
    if value is None:
        return "?"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(31)
    if isinstance(value, float):
        return struct.unpack("d", flipped(struct.pack("d", value), chance.randrange(64)))[0]
    content = value.encode()
    return flipped(content, chance.randrange(8 * len(content))).decode(errors="replace") if content else "?"
