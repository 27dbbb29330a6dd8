"""What is verified is what is shown: no damage hides or adds an event while verification says all is well."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from csp.errors import UnavailableError
from csp.keeping.reviews.chain import GENESIS_HEAD, DamagedRecordError
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from tests.keeping.entries import entry
from tests.postgres import PrivatePostgres

Open = Callable[..., Reviews]


@pytest.fixture
def sound(tmp_path: Path) -> tuple[Path, list[Event]]:
    """A closed SQLite file of forty events on five neurons."""
    path = tmp_path / "reviews.sqlite"
    with Reviews(Location(path=path)) as reviews:
        answers = reviews.record_all([entry(neuron=n % 5, gamma=0.5, reviewer=f"R{n}") for n in range(40)])
        assert len(answers) == 40
        return path, reviews.events()


def change(path: Path, *statements: str) -> None:
    """Do to a file what someone does who may do anything with it."""
    with closing(sqlite3.connect(path)) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            database.execute(statement)


COPY = "SELECT {} FROM review_events WHERE sequence = 40"


def inserted(path: Path, **values: str) -> str:
    """A statement that inserts a copy of the newest event with other values."""
    with closing(sqlite3.connect(path)) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(review_events)")]
    return "INSERT INTO review_events " + COPY.format(", ".join(values.get(one, one) for one in columns))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_events SET label = x'fffe' WHERE sequence = 31",
        "UPDATE review_events SET gamma = 9e999 WHERE sequence = 31",
        "UPDATE review_events SET label = CAST(x'ff' AS TEXT) WHERE sequence = 31",
        "UPDATE review_events SET blind = 'maybe' WHERE sequence = 31",
        "UPDATE review_events SET neuron = 'seven' WHERE sequence = 31",
        "UPDATE review_events SET neuron = 1e300 WHERE sequence = 31",
        "UPDATE review_events SET tags = 7 WHERE sequence = 31",
        "INSERT INTO review_head VALUES (2, 3, 'x')",
        "UPDATE review_head SET hash = x'00'",
        "UPDATE review_head SET sequence = 'many'",
        "DELETE FROM review_head",
        "DROP TABLE review_head",
        "DROP TABLE review_events",
        "DROP TABLE review_version",
        "DELETE FROM review_version",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE review_claims (%)' WHERE name = 'review_claims'",
        "UPDATE review_version SET version_num = x'30303032'",
        "ALTER TABLE review_events RENAME COLUMN reason TO because",
        "ALTER TABLE review_events DROP COLUMN contrast",
    ],
)
def test_each_kind_of_damage_is_a_finding(
    sound: tuple[Path, list[Event]], open_record: Open, statement: str
) -> None:
    path, _ = sound
    change(path, statement)
    reviews = open_record(Location(path=path), patience=0.2)
    for look in (reviews.check, reviews.verify):
        found = look()
        assert not found.ok
        assert found.problem
        if "sequence = 31" in statement and "CAST" not in statement and "maybe" not in statement:
            assert found.first_bad == 31
    for do in (reviews.events, lambda: reviews.record(entry(reviewer="New"))):
        with pytest.raises(DamagedRecordError, match="damaged"):
            do()


@pytest.mark.parametrize("sequence", [0, -1, -(2**62)])
def test_a_row_before_the_first_event_is_found(
    sound: tuple[Path, list[Event]], open_record: Open, sequence: int
) -> None:
    path, _ = sound
    change(path, inserted(path, sequence=str(sequence), token="'t'", hash="'f'", previous_hash="'g'"))
    reviews = open_record(Location(path=path))
    assert "was put before event 1" in str(reviews.check().problem)
    with pytest.raises(UnavailableError, match="was put before event 1"):
        reviews.record(entry(token="t"))


def test_a_claim_that_cannot_be_read_holds_nobody_up(
    sound: tuple[Path, list[Event]], open_record: Open
) -> None:
    path, events = sound
    change(
        path,
        f"INSERT INTO review_claims VALUES ('{events[0].run_fingerprint}', 'late', 1, 'Bo', 0, 'yesterday')",
    )
    reviews = open_record(Location(path=path))
    assert reviews.claim([events[1].place], events[0].who) == events[1].place


def test_an_index_that_leads_astray_hides_nothing_and_is_found(
    sound: tuple[Path, list[Event]], open_record: Open
) -> None:
    """Each byte of the index by neuron is damaged once: pages don't ask it, and verification looks at it."""
    path, events = sound
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'review_events_of_neuron'"
        page = database.execute(query).fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    content, found = path.read_bytes(), 0
    first = (page - 1) * size
    for place in range(first + size - 400, first + size, 20):
        copy = path.with_name("copy.sqlite")
        copy.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        reviews = Reviews(Location(path=copy), patience=0.2)
        with reviews:
            assert reviews.events() == events
            found += not reviews.verify().ok
        for beside in ("", "-wal", "-shm"):
            copy.with_name(copy.name + beside).unlink(missing_ok=True)
    assert found


@pytest.mark.parametrize(
    ("word", "damaged"), [(b"TABLE review_head (", b"TABLE review_head \xd9"), (b"_head", b"\xff\xfeead")]
)
def test_a_description_of_tables_that_is_no_text_is_a_finding(
    sound: tuple[Path, list[Event]], open_record: Open, word: bytes, damaged: bytes
) -> None:
    """SQLite quotes it in its message, which then is no text either."""
    path, _ = sound
    path.write_bytes(path.read_bytes().replace(word, damaged))
    reviews = open_record(Location(path=path), patience=0.2)
    for look in (reviews.check, reviews.verify):
        assert "is damaged" in str(look().problem)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_version SET version_num = '0001'",
        "ALTER TABLE review_events ALTER COLUMN neuron TYPE TEXT",
        "ALTER TABLE review_events ALTER COLUMN blind TYPE TEXT",
        "ALTER TABLE review_head RENAME TO kept; CREATE VIEW review_head AS SELECT DISTINCT * FROM kept",
        "ALTER TABLE review_events ADD CONSTRAINT no_more CHECK (sequence < 3)",
    ],
)
def test_a_change_of_the_tables_of_postgresql_is_a_finding_or_a_refusal(
    postgres: PrivatePostgres, open_record: Open, statement: str
) -> None:
    url = postgres.empty_database()
    with Reviews(Location.of(url)) as reviews:
        known = [reviews.record(entry(neuron=n)).event for n in range(2)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
    reviews = open_record(Location.of(url), patience=0.2)
    assert not reviews.check().ok or reviews.events() == known
    with pytest.raises(UnavailableError, match="is damaged"):
        reviews.record(entry(neuron=2))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_cut_short_is_a_finding(
    sound: tuple[Path, list[Event]], open_record: Open, share: float
) -> None:
    path, _ = sound
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    reviews = open_record(Location(path=path), patience=0.2)
    assert not reviews.verify().ok
    assert not reviews.check().ok or reviews.events()


def test_a_record_put_in_its_place_is_read_anew(
    sound: tuple[Path, list[Event]], open_record: Open, tmp_path: Path
) -> None:
    path, events = sound
    other = tmp_path / "other.sqlite"
    with Reviews(Location(path=other)) as reviews:
        mine = reviews.record(entry()).event
    reviews = open_record(Location(path=path))
    known = reviews.news(mine.run_fingerprint, GENESIS_HEAD)
    assert list(known.events) == events
    reviews.close()
    shutil.copy(other, path)
    assert reviews.check().ok
    assert reviews.events() == [mine]
    assert reviews.news(mine.run_fingerprint, known.head).afresh
