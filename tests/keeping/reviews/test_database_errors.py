"""Whatever happens to the database: nothing is lost, nothing counts twice, nothing is half-written."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, inspect, text

from csp.errors import UnavailableError
from csp.keeping.reviews import database
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action
from tests.keeping.entries import entry
from tests.keeping.review_writers import open_at_once, write_and_die, write_at_once
from tests.postgres import PrivatePostgres

Open = Callable[..., Reviews]


def test_killed_in_the_middle_of_a_verdict(reviews: Reviews) -> None:
    first = reviews.record(entry()).event
    said = entry(Action.OVERRIDE, "hairs", reviewer="Bo")
    moments = 0
    while not write_and_die(reviews.location, said, moments):
        assert reviews.events() == [first]
        assert reviews.verify().ok
        moments += 1
    assert moments >= 5, "it was killed before every statement and before the commit"
    assert reviews.record(said).repeated
    assert [one.label for one in reviews.events()] == ["ruler", "hairs"]
    assert reviews.verify().ok


def test_killed_while_the_tables_are_made(location: Location, open_record: Open) -> None:
    said = entry()
    moments = 0
    while not write_and_die(location, said, moments):
        moments += 4
    assert moments > 20, "it was killed again and again"
    reviews = open_record(location)
    assert reviews.record(said).repeated
    assert reviews.verify().ok


def test_two_processes_write_to_one_database(location: Location, open_record: Open) -> None:
    write_at_once(location, ["Ann", "Bo"], 200)
    reviews = open_record(location)
    found = reviews.events()
    assert [one.sequence for one in found] == list(range(1, 401))
    for name in ("Ann", "Bo"):
        assert [one.neuron for one in found if one.reviewer == name] == list(range(200))
    assert reviews.verify().ok


def test_processes_that_open_an_empty_database_at_once(location: Location, open_record: Open) -> None:
    open_at_once(location, 4)
    reviews = open_record(location)
    assert len(reviews.events()) == 4
    assert reviews.verify().ok


def test_threads_with_the_same_token_record_once(reviews: Reviews) -> None:
    said = entry()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: reviews.record(said), range(16)))
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 15
    assert len(reviews.events()) == 1


def test_a_record_that_another_process_makes_meanwhile_is_whole(
    postgres: PrivatePostgres, open_record: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the looks of one process for its two tables."""
    location = Location.of(postgres.empty_database())
    slow, quick = open_record(location), open_record(location)
    looks: list[str] = []

    class Looking:
        def __init__(self, connection: Connection) -> None:
            self._tables = inspect(connection)

        def has_table(self, name: str) -> bool:
            found = self._tables.has_table(name)
            looks.append(name)
            if len(looks) == 1:
                quick.record(entry())
            return found

    monkeypatch.setattr(database, "inspect", Looking)
    slow.record(entry(neuron=1))
    assert [one.neuron for one in slow.events()] == [entry().neuron, 1]


def test_a_full_disk_is_a_sentence_and_the_record_stays_whole(tmp_path: Path, open_record: Open) -> None:
    location = Location(path=tmp_path / "reviews.sqlite")
    reviews = open_record(location)
    reviews.record(entry())
    engine = reviews._database().engine
    pages = engine.connect().exec_driver_sql("PRAGMA page_count").scalar_one()
    engine.dispose()
    limit = f"PRAGMA max_page_count = {pages + 4}"

    def keep_small(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(limit)

    event.listen(engine, "connect", keep_small)
    kept = 1
    with pytest.raises(UnavailableError, match=r"disk that holds .*reviews\.sqlite is full: free some space"):
        while True:
            said = entry(neuron=kept, reason="x" * 2_000)
            reviews.record(said)
            kept += 1
    assert len(reviews.events()) == kept
    assert reviews.verify().ok
    event.remove(engine, "connect", keep_small)
    engine.dispose()
    assert not reviews.record(said).repeated
    assert len(reviews.events()) == kept + 1
    assert reviews.verify().ok


def lock(location: Location) -> Callable[[], None]:
    """Keep others from writing, until what is returned is called."""
    engine = create_engine(location.url or f"sqlite:///{location.path}")
    connection = engine.connect()
    if location.path is not None:
        connection.exec_driver_sql("PRAGMA user_version = 1")  # begins a write
        connection.connection.execute("BEGIN IMMEDIATE")  # type: ignore[attr-defined]
    else:
        connection.execute(text("LOCK TABLE review_head IN EXCLUSIVE MODE"))

    def release() -> None:
        connection.rollback()
        connection.close()
        engine.dispose()

    return release


def test_a_lock_that_outlasts_our_patience_is_a_sentence(location: Location, open_record: Open) -> None:
    reviews = open_record(location, patience=0.3)
    said = entry()
    reviews.record(entry(reviewer="Bo"))
    release = lock(location)
    with pytest.raises(UnavailableError, match=r"another program keeps .* locked: try again in a moment"):
        reviews.record(said)
    assert len(reviews.events()) == 1, "reading goes on"
    release()
    assert not reviews.record(said).repeated
    assert reviews.verify().ok


def test_a_lock_that_ends_in_time_is_waited_out(location: Location, open_record: Open) -> None:
    reviews = open_record(location, patience=30)
    reviews.record(entry(reviewer="Bo"))
    release = lock(location)
    timer = threading.Timer(1, release)
    timer.start()
    reviews.record(entry())
    timer.join()
    assert len(reviews.events()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a database, but long enough to look like one" * 9, "is damaged: restore it from a backup")],
)
def test_a_damaged_file_is_a_sentence(
    tmp_path: Path, open_record: Open, content: bytes, message: str
) -> None:
    location = Location(path=tmp_path / "reviews.sqlite")
    assert location.path is not None
    location.path.write_bytes(content)
    with pytest.raises(UnavailableError, match=message):
        open_record(location, patience=0.3).record(entry())
    assert location.path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, open_record: Open) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"folder .* can't be made"):
        open_record(Location(path=tmp_path / "file" / "reviews.sqlite")).record(entry())


def test_a_server_that_is_not_there_is_a_sentence_without_its_password(open_record: Open) -> None:
    location = Location.of("postgresql://me:secret@127.0.0.1:1/reviews")
    with pytest.raises(
        UnavailableError,
        match=r"PostgreSQL on 127\.0\.0\.1, database reviews can't be reached \(Connection refused\)",
    ) as caught:
        open_record(location, patience=0.2).record(entry())
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist_is_a_sentence(postgres: PrivatePostgres, open_record: Open) -> None:
    location = Location.of(postgres.empty_database().replace("/postgres?", "/none?"))
    with pytest.raises(
        UnavailableError, match=r"can't be reached \(FATAL: +database \"none\" does not exist\)"
    ):
        open_record(location, patience=0.2).record(entry())


def test_postgresql_restarted_under_load(postgres: PrivatePostgres, open_record: Open) -> None:
    reviews = open_record(Location.of(postgres.empty_database()), patience=120)
    reviews.record(entry(neuron=1_000))
    writing, restarted = threading.Barrier(5), threading.Event()

    def write(name: str) -> int:
        writing.wait()
        count = 0
        while not restarted.is_set() or count < 20:
            assert not reviews.record(entry(neuron=count, reviewer=name)).missed
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, name) for name in ("Ann", "Bo", "Cy", "Di")]
        writing.wait()
        for _ in range(2):
            postgres.restart()
        restarted.set()
        counts = [one.result() for one in written]
    found = reviews.events()
    assert len(found) == 1 + sum(counts)
    assert len({(one.reviewer, one.neuron) for one in found}) == len(found)
    assert reviews.verify().ok
