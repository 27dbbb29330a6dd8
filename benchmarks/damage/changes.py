"""Deliberate changes of a review record, as statements of SQL that some seed draws.

Left out are the two things that no record can tell by itself (`docs/reviews.md`): events at its end removed
or rewritten together with all hashes after them and the noted newest one.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from csp.keeping.reviews import chain
from csp.keeping.reviews.event import Event

Change = tuple[str, ...]
"""Statements, done one after the other."""
Draw = Callable[[Sequence[Event], random.Random], Change]

_WHOLE = ("sequence", "neuron", "examples")
_TRUE = ("blind", "reviewer_verified")
_COLUMNS = tuple(Event.__dataclass_fields__)
_TABLES = ("review_events", "review_head", "review_claims", "review_version")
_ODD_TEXTS = ("''", "'x'", "'null'", "'[]'", "'2030-01-01'", "'undo'", "'" + "x" * 100_000 + "'", "NULL")
_ODD_WHOLE = ("0", "-1", "-2147483648", "2147483647", "NULL")
_ODD_REALS = ("'Infinity'", "'-Infinity'", "'NaN'", "0.50000001", "-0.0", "1e308", "NULL")
_ODD_ANYWHERE = (  # SQLite keeps anything in any column
    *("x'fffe'", "x''", "9e999", "-9e999", "CAST(x'ff' AS TEXT)", "CAST(x'00' AS TEXT)", "'seven'", "1e300"),
    *("9223372036854775807", "-9223372036854775808", "0", "-1", "2.5", "''", "NULL", "char(55296)"),
    *("'a' || char(0) || 'b'", "hex(zeroblob(100000))"),
)


def drawn_changes(kind: str, events: Sequence[Event], chance: random.Random) -> Iterator[Change]:
    """Changes without end, of all sorts in turn."""
    for sort in cycle((*EVERYWHERE, *(ON_SQLITE if kind == "sqlite" else ON_POSTGRESQL))):
        yield sort(events, chance)


def _row(events: Sequence[Event], chance: random.Random) -> int:
    """A row's sequence, of the first and last more often."""
    return chance.choice((1, 2, len(events), chance.randint(1, len(events))))


def _copy(events: Sequence[Event], chance: random.Random, sequence: str, **values: str) -> str:
    """A row that looks like another one, with a sequence, token and hashes of its own."""
    mark = chance.randrange(10**9)
    own = {"sequence": sequence, "token": f"'t{mark}'", "hash": f"'h{mark}'", "previous_hash": f"'p{mark}'"}
    chosen = ", ".join((own | values).get(name, name) for name in _COLUMNS)
    where = f"WHERE sequence = {_row(events, chance)}"
    return f"INSERT INTO review_events ({', '.join(_COLUMNS)}) SELECT {chosen} FROM review_events {where}"


def odd_value(events: Sequence[Event], chance: random.Random) -> Change:
    """One value of one row, of a type that the column may hold."""
    column = chance.choice(_COLUMNS)
    if column in _WHOLE:
        value = chance.choice(_ODD_WHOLE)
    elif column in _TRUE:
        value = f"NOT {column}"
    else:
        value = chance.choice(_ODD_REALS if column == "gamma" else _ODD_TEXTS)
    return (f"UPDATE review_events SET {column} = {value} WHERE sequence = {_row(events, chance)}",)


def odd_type(events: Sequence[Event], chance: random.Random) -> Change:
    """One value of one row, of any type (SQLite)."""
    column, value = chance.choice(_COLUMNS), chance.choice(_ODD_ANYWHERE)
    return (f"UPDATE review_events SET {column} = {value} WHERE sequence = {_row(events, chance)}",)


def edited_payload(events: Sequence[Event], chance: random.Random) -> Change:
    """What somebody said, in other words; sometimes with the hash that fits."""
    event = events[_row(events, chance) - 1]
    column = chance.choice(("label", "reason", "reviewer", "verdict", "tags", "machine_label", "imported"))
    value = {"verdict": "reject", "tags": '["artefact"]'}.get(column, "as I would have it")
    statement = f"UPDATE review_events SET {column} = '{value}'"
    if chance.random() < 0.5 and event.sequence < len(events):
        row = event.row() | {"sequence": event.sequence, "previous_hash": event.previous_hash}
        statement += f", hash = '{chain.row_hash(row | {column: value})}'"
    return (f"{statement} WHERE sequence = {event.sequence}",)


def row_too_many(events: Sequence[Event], chance: random.Random) -> Change:
    """Before the first, after the last, far away."""
    sequence = chance.choice(("0", "-1", "-2147483648", str(len(events) + 1), "2147483647"))
    return (_copy(events, chance, sequence),)


def row_after_the_last(events: Sequence[Event], chance: random.Random) -> Change:
    """One that fits to the newest event, but was not noted as the newest."""
    return (_copy(events, chance, str(len(events) + 1), previous_hash=f"'{events[-1].hash}'"),)


def rows_removed(events: Sequence[Event], chance: random.Random) -> Change:
    """One, some, or all that follow."""
    first = _row(events, chance)
    last = chance.choice((first, first + 5, len(events)))
    return (f"DELETE FROM review_events WHERE sequence BETWEEN {first} AND {last}",)


def rows_swapped(events: Sequence[Event], chance: random.Random) -> Change:
    """Two rows take each other's place, or one field of each other."""
    one, two = chance.sample(list(events), 2)
    column = chance.choice(("sequence", "neuron", "reviewer", "label", "hash", "previous_hash", "token"))
    known_by = "hash" if column == "token" else "token"
    mark = "-7" if column in _WHOLE else "'in between'"

    def put(event: Event, value: object) -> str:
        written = f"'{value}'" if isinstance(value, str) and value != mark else value
        return (
            f"UPDATE review_events SET {column} = {written} WHERE {known_by} = '{getattr(event, known_by)}'"
        )

    return put(one, mark), put(two, getattr(one, column)), put(one, getattr(two, column))


def other_newest(events: Sequence[Event], chance: random.Random) -> Change:
    """What is noted as the newest event is another one, none, or two."""
    some = events[chance.randrange(len(events) - 1)]
    return (
        chance.choice(
            (
                "DELETE FROM review_head",
                "INSERT INTO review_head (id, sequence, hash) SELECT id + 1, sequence, hash FROM review_head",
                "INSERT INTO review_head (id, sequence, hash) VALUES (-1, 0, '')",
                f"UPDATE review_head SET sequence = {some.sequence}, hash = '{some.hash}'",
                f"UPDATE review_head SET sequence = {some.sequence}",
                f"UPDATE review_head SET hash = '{'0' * 64}'",
                f"UPDATE review_head SET sequence = {chance.choice(_ODD_WHOLE[:4])}",
                "UPDATE review_head SET id = 2",
                f"UPDATE review_head SET sequence = 0, hash = '{'0' * 64}'",
            )
        ),
    )


def tables(_: Sequence[Event], chance: random.Random) -> Change:
    """A table goes, is emptied, gets another name, or is there twice."""
    table = chance.choice(_TABLES)
    return chance.choice(
        (
            (f"DROP TABLE {table}",),
            (f"DELETE FROM {table}",),
            (f"ALTER TABLE {table} RENAME TO gone",),
            (f"ALTER TABLE {table} RENAME TO kept", f"CREATE VIEW {table} AS SELECT * FROM kept"),
            (
                "ALTER TABLE review_events RENAME TO kept",
                "CREATE VIEW review_events AS SELECT * FROM kept WHERE neuron <> 3",
            ),
            (f"CREATE TABLE {table}_2 AS SELECT * FROM {table}",),
        )
    )


def columns(_: Sequence[Event], chance: random.Random) -> Change:
    """A column goes, gets another name, or comes."""
    column = chance.choice(_COLUMNS)
    return chance.choice(
        (
            (f"ALTER TABLE review_events RENAME COLUMN {column} TO other",),
            (f"ALTER TABLE review_events DROP COLUMN {column}",),
            ("ALTER TABLE review_events DROP COLUMN contrast",),
            ("ALTER TABLE review_events ADD COLUMN more TEXT",),
            ("ALTER TABLE review_events ADD COLUMN more TEXT NOT NULL DEFAULT 'x'",),
            ("ALTER TABLE review_head ADD COLUMN more TEXT",),
            ("ALTER TABLE review_head DROP COLUMN hash",),
            ("ALTER TABLE review_claims DROP COLUMN at",),
        )
    )


def version(_: Sequence[Event], chance: random.Random) -> Change:
    """What tells the version of the tables."""
    return (
        chance.choice(
            (
                "DELETE FROM review_version",
                "UPDATE review_version SET version_num = '0001'",
                "UPDATE review_version SET version_num = '9999'",
                "UPDATE review_version SET version_num = ''",
                "INSERT INTO review_version VALUES ('0001')",
                "DROP TABLE review_version",
            )
        ),
    )


def claims(_: Sequence[Event], chance: random.Random) -> Change:
    """Who works on what, in ways that nobody would have written."""
    at = chance.choice(("", "yesterday", "9999-12-31T23:59:59+00:00", "0001-01-01", "2030"))
    neuron = chance.choice((-1, 0, 2147483647))
    return (f"INSERT INTO review_claims VALUES ('{'f' * 64}', 'late', {neuron}, 'Bo', FALSE, '{at}')",)


def index_gone(_: Sequence[Event], __: random.Random) -> Change:
    """Slower, and nothing else."""
    return ("DROP INDEX review_events_of_neuron",)


def index_of_sqlite(_: Sequence[Event], chance: random.Random) -> Change:
    """The index goes from the schema alone, says that it leaves rows out, or leads into another's pages."""
    index = "name = 'review_events_of_neuron'"
    return (
        chance.choice(
            (
                f"DELETE FROM sqlite_master WHERE {index}",
                f"UPDATE sqlite_master SET sql = sql || ' WHERE neuron > 5' WHERE {index}",
                f"UPDATE sqlite_master SET rootpage = 2 WHERE {index}",
                "UPDATE sqlite_master SET rootpage = 9999 WHERE name = 'review_head'",
                "DELETE FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_review_events%'",
                "UPDATE sqlite_master SET sql = 'CREATE TABLE review_events (' WHERE name = 'review_events'",
            )
        ),
    )


def trigger_of_sqlite(_: Sequence[Event], chance: random.Random) -> Change:
    """What is recorded from now on is changed, or thrown away."""
    return (
        chance.choice(
            (
                "CREATE TRIGGER other AFTER INSERT ON review_events BEGIN "
                "UPDATE review_events SET label = 'other' WHERE sequence = new.sequence; END",
                "CREATE TRIGGER none BEFORE INSERT ON review_events BEGIN SELECT RAISE(IGNORE); END",
                "CREATE TRIGGER stop BEFORE INSERT ON review_events BEGIN SELECT RAISE(ABORT, 'no'); END",
            )
        ),
    )


def rule_of_postgresql(_: Sequence[Event], chance: random.Random) -> Change:
    """What is recorded from now on is thrown away; what is read is something else."""
    hiding = "SELECT * FROM public.review_events WHERE neuron <> 3"
    return chance.choice(
        (
            ("CREATE RULE none AS ON INSERT TO review_events DO INSTEAD NOTHING",),
            ("CREATE RULE none AS ON UPDATE TO review_head DO INSTEAD NOTHING",),
            ("ALTER TABLE review_events ALTER COLUMN gamma TYPE TEXT",),
            ("ALTER TABLE review_events ALTER COLUMN neuron TYPE TEXT",),
            ("ALTER TABLE review_events ALTER COLUMN gamma TYPE REAL",),
            ("ALTER TABLE review_events ALTER COLUMN blind TYPE TEXT",),
            ("ALTER TABLE review_events ALTER COLUMN sequence TYPE TEXT",),
            ("ALTER TABLE review_events ALTER COLUMN sequence TYPE NUMERIC",),
            (f"CREATE SCHEMA {_USER}", f"CREATE VIEW {_USER}.review_events AS {hiding}"),
        )
    )


_USER = "postgres"
"""A schema of the user's own name comes before `public`."""

EVERYWHERE: tuple[Draw, ...] = (
    *(odd_value, edited_payload, row_too_many, row_after_the_last, rows_removed, rows_swapped),
    *(other_newest, tables, columns, version, claims, index_gone),
)
ON_SQLITE: tuple[Draw, ...] = (odd_type, odd_type, odd_type, index_of_sqlite, trigger_of_sqlite)
ON_POSTGRESQL: tuple[Draw, ...] = (odd_value, rule_of_postgresql)
