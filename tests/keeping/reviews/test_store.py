"""What the record keeps and refuses, on both databases."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from csp.errors import BadInputError, UnavailableError
from csp.keeping.reviews import database
from csp.keeping.reviews.chain import GENESIS, Head, seal
from csp.keeping.reviews.checks import OvertakenError
from csp.keeping.reviews.event import SAW_NONE, NeuronRef, Reviewer
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.schema import METADATA, REVISIONS, VERSION_TABLE
from csp.keeping.reviews.state import current
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action, Role
from tests.keeping.entries import RUN, entry

Open = Callable[..., Reviews]
NASTY = [
    "<script>alert(1)</script><b>x</b>",
    "# *Markdown* [x](javascript:1) `$y$`",
    "🩺👩🏽‍⚕️ naevus",
    "\u202eruler\u202c שלום",
    "=HYPERLINK(1)",
    "'; DROP TABLE review_events; --",
    "100 % \\ %s :x {y}",
]


def engine_of(location: Location) -> Engine:
    return create_engine(location.url or f"sqlite:///{location.path}")


def test_an_event_is_kept_whole(reviews: Reviews, open_record: Open) -> None:
    said = entry(
        Action.OVERRIDE,
        "hairs",
        reason="two lines\nof text",
        tags=("artefact:hairs", "other"),
        labeler="csp",
        gamma=1,
        examples=30,
        contrast="quantile:0.1",
        blind=True,
        app_version="0.1.0",
        role=Role.ADMIN,
        reviewer_verified=True,
        seen=SAW_NONE,
    )
    event = reviews.record(said).event
    assert (event.sequence, event.previous_hash, event.label_before) == (1, GENESIS, "ruler")
    for name in (
        "place",
        "run",
        "verdict",
        "label",
        "machine_label",
        "who",
        "role",
        "reason",
        "tags",
        "seen",
    ):
        assert getattr(event, name) == getattr(said, name)
    assert (event.labeler, event.gamma, event.examples, event.blind) == ("csp", 1.0, 30, True)
    assert event.contrast == "quantile:0.1"
    assert open_record(reviews.location).events() == [event]
    following = reviews.record(entry(Action.REJECT, None, reviewer="Bo")).event
    assert (following.sequence, following.previous_hash) == (2, event.hash)
    assert (following.label_before, following.label) == ("hairs", None)
    assert reviews.events(RUN, "late", 1) == [event, following]
    assert reviews.events(RUN, "late", 2) == reviews.events(RUN, "early") == reviews.events("0" * 64) == []


def test_a_token_is_recorded_once(reviews: Reviews) -> None:
    said = entry()
    first = reviews.record(said)
    again = reviews.record(said)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.event == first.event
    with pytest.raises(BadInputError, match=r"recorded already as event 1 \(confirm by Ann on neuron 1"):
        reviews.record(replace(said, verdict=Action.REJECT, label=None))
    assert reviews.events() == [first.event]


def test_what_came_in_between_is_told(reviews: Reviews) -> None:
    first = reviews.record(entry(seen=SAW_NONE))
    assert first.missed == ()
    second = reviews.record(entry(Action.OVERRIDE, "hairs", reviewer="Bo", seen=SAW_NONE))
    assert second.missed == (first.event,)
    assert reviews.record(entry(Action.UNSURE, None, reviewer="Cy", seen=second.event.token)).missed == ()
    assert len(reviews.record(entry(reviewer="Di", seen="never heard of")).missed) == 3
    state = current(reviews.events())
    assert state.disputed
    assert {who.name for who in state.verdicts} == {"Ann", "Bo", "Cy", "Di"}


def test_typedis_stored_as_typed(reviews: Reviews) -> None:
    for typed in NASTY:
        reviews.record(entry(Action.OVERRIDE, typed, reason=typed, reviewer=typed))
    assert [(event.label, event.reason, event.reviewer) for event in reviews.events()] == [
        (typed,) * 3 for typed in NASTY
    ]
    assert reviews.verify().ok


def test_what_cannot_be_stored_is_left_out_and_said(reviews: Reviews) -> None:
    answer = reviews.record(entry(Action.OVERRIDE, " a\0b\x1b\ud800\nc ", reason="x\r\ny\tz"))
    assert (answer.event.label, answer.event.reason) == ("ab c", "x\ny\tz")
    assert answer.notes == ("3 control characters, such as NUL, were left out of the label",)
    assert reviews.record(entry(Action.OVERRIDE, "ve\u0301lo")).event.label == "v\u00e9lo"
    assert reviews.verify().ok


@pytest.mark.parametrize("length", [201, 2_000, 2_001, 50_000])
def test_a_long_label_of_the_machine_can_be_judged(reviews: Reviews, length: int) -> None:
    machine = ("melanoma " * length)[: length - 1] + "x"
    for action, label in ((Action.CONFIRM, machine), (Action.REJECT, None), (Action.OVERRIDE, "ruler")):
        answer = reviews.record(entry(action, label, machine_label=machine, reviewer=f"Ann {action}"))
        kept = answer.event.machine_label or ""
        assert len(kept) <= 2_000 and kept.startswith(machine[:1_999])
        assert answer.event.label == (kept if action is Action.CONFIRM else label)
        assert bool(answer.notes) == (length > 2_000)
    assert reviews.verify().ok


REFUSED = [
    (entry(Action.OVERRIDE, "x" * 10_000), "the label has 10,000 characters; at most 200"),
    (entry(reason="x" * 2_001), "the reason has 2,001 characters"),
    (entry(Action.OVERRIDE, " \0 "), "an override needs a label"),
    (entry(Action.CONFIRM, None), "no label to confirm"),
    (entry(reviewer=" "), "no reviewer's name"),
    (entry(token=""), "the token is empty"),
    (entry(role=Role.VIEWER), "Ann may only look"),
    (entry(tags=("artefact:cat",)), "there is no tag 'artefact:cat'"),
    (entry(Action.UNDO, None, undoes="x"), "no event 'x' on neuron 1 of late to undo"),
    (entry(Action.RESOLVE), "nobody disagrees on neuron 1 of late"),
]


def test_what_is_refused_leaves_no_trace(reviews: Reviews) -> None:
    for said, message in REFUSED:
        with pytest.raises(BadInputError, match=message):
            reviews.record(said)
    assert reviews.events() == []


def test_only_its_author_or_an_admin_undoes_an_event_and_once(reviews: Reviews) -> None:
    first = reviews.record(entry()).event
    for other in ({"reviewer": "Bo"}, {"reviewer_verified": True}):
        with pytest.raises(BadInputError, match="is by Ann: only they or an admin"):
            reviews.record(entry(Action.UNDO, None, undoes=first.token, **other))
    with pytest.raises(BadInputError, match="no event"):
        reviews.record(entry(Action.UNDO, None, undoes=first.token, neuron=2))
    undo = reviews.record(entry(Action.UNDO, None, undoes=first.token)).event
    assert current(reviews.events()).source == "machine"
    with pytest.raises(BadInputError, match="was undone already"):
        reviews.record(entry(Action.UNDO, None, undoes=first.token))
    reviews.record(entry(Action.UNDO, None, undoes=undo.token, reviewer="Root", role=Role.ADMIN))
    assert current(reviews.events()).source == "person"


def test_a_dispute_is_resolved_by_a_third(reviews: Reviews) -> None:
    reviews.record(entry())
    reviews.record(entry(Action.OVERRIDE, "hairs", reviewer="Bo"))
    with pytest.raises(BadInputError, match="Bo is part of the dispute"):
        reviews.record(entry(Action.RESOLVE, "hairs", reviewer="Bo"))
    reviews.record(entry(Action.RESOLVE, "hairs", reviewer="Cy"))
    state = current(reviews.events())
    assert (state.disputed, state.label, state.machine_label) == (False, "hairs", "ruler")


def test_a_clock_that_goes_backwards_does_not_change_the_order(location: Location, open_record: Open) -> None:
    times = iter(datetime(2030, 1, 1, tzinfo=UTC) - timedelta(days=day) for day in range(3))
    reviews = open_record(location, clock=lambda: next(times))
    for label in ("one", "two", "three"):
        reviews.record(entry(Action.OVERRIDE, label))
    found = reviews.events()
    assert [event.label for event in found] == ["one", "two", "three"]
    assert found[0].at > found[1].at > found[2].at
    assert current(found).label == "three"
    assert reviews.verify().ok


def test_two_people_do_not_get_the_same_neuron(location: Location, open_record: Open) -> None:
    now = [datetime(2030, 1, 1, tzinfo=UTC)]
    reviews = open_record(location, clock=lambda: now[0])
    places = [NeuronRef(RUN, "late", neuron) for neuron in range(2)]
    ann, bo, cy = (Reviewer(name, False) for name in ("Ann", "Bo", "Cy"))
    assert [reviews.claim(places, who) for who in (ann, bo, cy, ann)] == [
        places[0],
        places[1],
        None,
        places[0],
    ]
    reviews.release(bo)
    assert reviews.claim(places, cy) == places[1]
    now[0] += timedelta(minutes=16)
    assert reviews.claim(places, bo) == places[0]
    now[0] -= timedelta(days=1)
    assert reviews.claim(places, cy) == places[0], "a claim from the future holds nobody up"


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE review_events SET label = 'x' WHERE sequence = 1",
        "DELETE FROM review_events WHERE sequence = 2",
        "INSERT INTO review_events SELECT * FROM review_events WHERE sequence = 2",
        "TRUNCATE review_events",
        "INSERT OR REPLACE INTO review_events SELECT * FROM review_events WHERE sequence = 2",
    ],
)
def test_the_database_itself_refuses_changes(reviews: Reviews, attack: str) -> None:
    before = [reviews.record(entry(reviewer=name)).event for name in ("Ann", "Bo")]
    engine = engine_of(reviews.location)
    with pytest.raises(DBAPIError, match=r"append-only|syntax error"), engine.begin() as connection:
        connection.execute(text(attack))
    engine.dispose()
    assert reviews.events() == before


def test_who_asks_is_told_before_anything_is_recorded(reviews: Reviews) -> None:
    own = reviews.record(entry(seen=SAW_NONE)).event
    assert reviews.record(entry(Action.UNSURE, None, seen=SAW_NONE), ask=True).missed == (own,)
    before = reviews.events()
    theirs = entry(Action.OVERRIDE, "hairs", reviewer="Bo", seen=SAW_NONE)
    with pytest.raises(OvertakenError, match=r"meanwhile Ann judged neuron 1 of late") as told:
        reviews.record(theirs, ask=True)
    assert reviews.events() == before
    seen = replace(theirs, seen=told.value.missed[-1].token)
    assert reviews.record(seen, ask=True).event.label == "hairs"


def test_a_record_of_the_first_version_still_verifies(reviews: Reviews, open_record: Open) -> None:
    """What a later version added is empty in its events, and no part of their hashes."""
    from alembic import command

    engine = engine_of(reviews.location)
    old = {"examples": 30, "gamma": 1.0, "labeler": "csp", "app_version": "0.1.0"}
    first = seal(entry(**old), Head(), datetime(2025, 3, 1, tzinfo=UTC), "ruler")
    second = seal(entry(Action.REJECT, None, **old), Head(1, first.hash), first.at, "ruler")
    with engine.begin() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for event in (first, second):
            row = {name: value for name, value in event.row().items() if name != "contrast"}
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO review_events ({columns}) VALUES ({values})"), row)
        newest = {"sequence": 2, "hash": second.hash}
        connection.execute(text("UPDATE review_head SET sequence = :sequence, hash = :hash"), newest)
    engine.dispose()
    after = open_record(reviews.location)
    assert after.events() == [first, second]
    assert after.record(entry(contrast="mean", reviewer="Bo")).event.previous_hash == second.hash
    assert after.verify(expect=first.hash).ok


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def test_the_tables_are_those_of_the_schema(reviews: Reviews) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    reviews.record(entry())
    script = ScriptDirectory.from_config(migrations())
    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == REVISIONS
    engine = engine_of(reviews.location)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    engine.dispose()


def test_a_newer_database_is_refused(reviews: Reviews, open_record: Open) -> None:
    reviews.record(entry())
    engine = engine_of(reviews.location)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(UnavailableError, match="made by a newer version: update the app"):
        open_record(reviews.location).events()


def test_looking_at_no_record_makes_none_and_loads_nothing(own_home: Path) -> None:
    code = (
        "import sys\nfrom csp.keeping.reviews.store import open_reviews\n"
        "with open_reviews() as reviews:\n"
        "    print(reviews.events(), reviews.verify().ok, reviews.verify('ab').ok)\n"
        "print(reviews.location.path.exists(), 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] True False", "False False"]


def test_where_the_record_is(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    assert str(Location.configured()).endswith("home/reviews.sqlite")
    monkeypatch.setenv("CSP_DATABASE_URL", "postgres://me:secret@db.example/reviews")
    assert str(Location.configured()) == "PostgreSQL on db.example, database reviews"
    assert Location.configured().url == "postgresql+psycopg://me:secret@db.example/reviews"
    for wrong in ("mysql://x/y", "sqlite:///", "nonsense"):
        with pytest.raises(BadInputError, match="CSP_DATABASE_URL starts with"):
            Location.of(wrong)
