"""Tampering around the triggers, on both databases: verification names the first bad event."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, create_engine, text

from csp.keeping.reviews.chain import GENESIS, DamagedRecordError, Head, row_hash, seal, verify
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action
from tests.keeping.entries import entry

Execute = Callable[..., None]


@pytest.fixture
def recorded(reviews: Reviews) -> list[Event]:
    """Five events."""
    return [reviews.record(entry(neuron=neuron, gamma=0.3, tags=("other",))).event for neuron in range(5)]


@pytest.fixture
def tamper(reviews: Reviews, recorded: list[Event]) -> Iterator[Execute]:
    """Changes the database as someone would who may do anything with it."""
    url = reviews.location.url or f"sqlite:///{reviews.location.path}"
    engine = create_engine(url)

    def tamper(*statements: str) -> None:
        with engine.begin() as connection:
            _drop_triggers(connection)
            for statement in statements:
                connection.execute(text(statement))

    yield tamper
    engine.dispose()


def _drop_triggers(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE review_events DISABLE TRIGGER USER"))
        return
    for name in ("no_update", "no_delete", "in_order"):
        connection.execute(text(f"DROP TRIGGER IF EXISTS review_events_{name}"))


def test_an_untouched_record_is_sound(reviews: Reviews, recorded: list[Event]) -> None:
    found = reviews.verify()
    assert (found.ok, found.events, found.head, found.first_bad) == (True, 5, recorded[-1].hash, None)
    for noted in (GENESIS, recorded[2].hash, f" {recorded[4].hash.upper()}\n"):
        assert reviews.verify(expect=noted).ok


@pytest.mark.parametrize(
    ("statements", "first_bad", "problem"),
    [
        (["UPDATE review_events SET label = 'ink' WHERE sequence = 3"], 3, "was changed"),
        (["UPDATE review_events SET gamma = 0.4 WHERE sequence = 3"], 3, "was changed"),
        (["UPDATE review_events SET label_before = NULL WHERE sequence = 3"], 3, "was changed"),
        (["UPDATE review_events SET at = '2020-01-01' WHERE sequence = 1"], 1, "was changed"),
        (["UPDATE review_events SET verdict = 'adore', tags = '{' WHERE sequence = 2"], 2, "was changed"),
        (["DELETE FROM review_events WHERE sequence = 1"], 1, "event 1 is missing"),
        (["DELETE FROM review_events WHERE sequence = 3"], 3, "event 3 is missing"),
        (["DELETE FROM review_events WHERE sequence >= 4"], 4, "the record ends with event 3"),
        (["DELETE FROM review_events"], 1, "the record ends with event 0"),
        (["DELETE FROM review_head"], 1, "the record ends with event 5"),
        (
            [
                "UPDATE review_events SET sequence = 9 WHERE sequence = 3",
                "UPDATE review_events SET sequence = 3 WHERE sequence = 4",
                "UPDATE review_events SET sequence = 4 WHERE sequence = 9",
            ],
            3,
            "does not follow from the one before",
        ),
    ],
)
def test_tampering_shows(
    reviews: Reviews, tamper: Execute, statements: list[str], first_bad: int, problem: str
) -> None:
    tamper(*statements)
    found = reviews.verify()
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert problem in str(found.problem)


def test_a_record_cut_with_care_shows_only_against_a_noted_hash(
    reviews: Reviews, recorded: list[Event], tamper: Execute
) -> None:
    tamper(
        "DELETE FROM review_events WHERE sequence = 5",
        f"UPDATE review_head SET sequence = 4, hash = '{recorded[3].hash}'",
    )
    assert reviews.verify().ok
    found = reviews.verify(expect=recorded[4].hash)
    assert not found.ok
    assert "events were removed or written anew" in str(found.problem)


def test_a_newest_event_written_anew_shows_against_the_noted_head(
    reviews: Reviews, recorded: list[Event], tamper: Execute
) -> None:
    forged = recorded[4].row() | {"label": "ink"}
    tamper(f"UPDATE review_events SET label = 'ink', hash = '{row_hash(forged)}' WHERE sequence = 5")
    found = reviews.verify()
    assert (found.ok, found.first_bad) == (False, 5)


def test_only_what_is_new_is_checked_and_a_replaced_record_is_noticed(
    reviews: Reviews, recorded: list[Event], tamper: Execute
) -> None:
    assert reviews.check().ok
    tamper("UPDATE review_events SET label = 'ink' WHERE sequence = 2")
    assert reviews.check().ok, "what was checked before is not read again"
    assert reviews.events() == recorded, "and what is shown is what was checked"
    assert not reviews.verify().ok
    assert reviews.check().first_bad == 2
    tamper("UPDATE review_events SET label = 'ruler' WHERE sequence = 2")
    assert reviews.check().ok
    cut = f"UPDATE review_head SET sequence = 3, hash = '{recorded[2].hash}'"
    tamper("DELETE FROM review_events WHERE sequence > 3", cut)
    assert reviews.check().events == 3
    assert reviews.events() == recorded[:3]


def test_news_are_what_a_reader_missed(reviews: Reviews, recorded: list[Event]) -> None:
    place = recorded[0].place
    mine = [event for event in recorded if event.run_fingerprint == place.run_fingerprint]
    everything = reviews.news(place.run_fingerprint, Head())
    assert list(everything.events) == mine
    assert everything.head == Head(5, recorded[4].hash)
    assert reviews.news(place.run_fingerprint, everything.head).events == ()
    after = reviews.news(place.run_fingerprint, Head(2, recorded[1].hash))
    assert (list(after.events), after.afresh) == ([one for one in mine if one.sequence > 2], False)
    replaced = reviews.news(place.run_fingerprint, Head(2, "f" * 64))
    assert (list(replaced.events), replaced.afresh) == (mine, True)
    assert reviews.news("another run", Head()).events == ()


def test_nothing_is_read_from_a_damaged_record_or_added_to_it(reviews: Reviews, tamper: Execute) -> None:
    tamper("UPDATE review_events SET verdict = 'adore' WHERE sequence = 2")
    assert reviews.verify().first_bad == 2
    with pytest.raises(DamagedRecordError, match=r"event 2 was changed .*; see `csp review verify`"):
        reviews.events()
    with pytest.raises(DamagedRecordError, match="is damaged: event 2 was changed"):
        reviews.record(entry())
    tamper("DELETE FROM review_head")
    with pytest.raises(DamagedRecordError, match="notes 0 newest events instead of one"):
        reviews.record(entry())


def test_any_changed_field_breaks_the_chain() -> None:
    event = seal(entry(Action.UNDO, "x", reason="y", undoes="t", seen="s"), Head(), _at(), "before")
    row = event.row()
    assert verify([row]).ok
    for name, value in row.items():
        changed = row | {name: f"{value}x"}
        assert not verify([changed]).ok, name


def _at() -> datetime:
    return datetime(2030, 1, 1, tzinfo=UTC)
