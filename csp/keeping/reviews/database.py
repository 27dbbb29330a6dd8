"""The connection to the record: one writer at a time, durable commits, patience with passing database_errors.

The only way to SQLAlchemy, whose import costs a quarter of a second: import this module inside functions.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from csp.extras import optional
from csp.keeping.reviews import database_errors
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.schema import EVENTS, REVISIONS, VERSION_TABLE

T = TypeVar("T")

_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITING = "writing"
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
_MIGRATION_LOCK = 0x435350  # any number that nobody else locks in the same PostgreSQL database


class Database:
    """Runs pieces of work in transactions. Waits up to `patience` seconds for locks and lost servers.

    Work may run again after a fault, so it must be safe to repeat.
    """

    def __init__(self, location: Location, patience: float) -> None:
        self.location = location
        self.patience = patience
        self.engine = _engine(location, patience)
        self._migrated = False
        self._turn = threading.Lock()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction that excludes other writers; all of it is kept, or nothing."""
        self._migrate()
        # Threads queue here: SQLite alone would let them poll for the lock.
        if not self._turn.acquire(timeout=self.patience):
            raise database_errors.unavailable(database_errors.LOCKED, self.location)
        try:
            return self._patiently(self.engine.execution_options(**{_WRITING: True}), work)
        finally:
            self._turn.release()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do work that only reads, on one consistent state of the record."""
        self._migrate()
        if self.location.path is not None:
            return self._patiently(self.engine, work)
        return self._patiently(self.engine.execution_options(isolation_level="REPEATABLE READ"), work)

    def close(self) -> None:
        """Close all connections; they open again when needed."""
        self.engine.dispose()

    def _patiently(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        deadline, wait = time.monotonic() + self.patience, _FIRST_WAIT
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except PoolTimeoutError:
                raise database_errors.unavailable(database_errors.LOCKED, self.location) from None
            except DBAPIError as error:
                if not database_errors.may_pass(error) or time.monotonic() + wait > deadline:
                    raise (database_errors.sentence(error, self.location) or error) from None
            except UnicodeDecodeError:  # SQLite's message itself quotes what is no text
                raise database_errors.damaged(self.location, " (it holds text that is no UTF-8)") from None
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _migrate(self) -> None:
        if self._migrated:
            return
        if self.location.path is not None:
            _make_folder(self.location.path.parent, self.location)
        if self._patiently(self.engine, self._revision) != REVISIONS[-1]:
            self._patiently(self.engine.execution_options(**{_WRITING: True}), self._upgrade)
        self._migrated = True

    def _revision(self, connection: Connection) -> str | None:
        if not inspect(connection).has_table(VERSION_TABLE):
            # Events may come from another process since, which makes both tables at once: then look again.
            if inspect(connection).has_table(EVENTS.name) and not inspect(connection).has_table(
                VERSION_TABLE
            ):
                raise database_errors.damaged(self.location, f" (there is no table {VERSION_TABLE})")
            return None
        query = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 # a constant of ours
        found: str | None = connection.scalar(query)
        if found is None or not isinstance(found, str):
            raise database_errors.damaged(self.location, f" (the table {VERSION_TABLE} names no version)")
        if found not in REVISIONS and not found > REVISIONS[-1]:
            raise database_errors.damaged(self.location, f" (its version is {found!r})")
        if found not in REVISIONS:
            raise database_errors.unavailable(
                "{where} was made by a newer version: update the app", self.location
            )
        return found

    def _upgrade(self, connection: Connection) -> None:
        """Two processes may come here at once: the second waits, then finds the work done."""
        if self.location.path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        if self._revision(connection) == REVISIONS[-1]:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _has_table(connection: Connection, name: str) -> bool:
    return bool(inspect(connection).has_table(name))


def _engine(location: Location, patience: float) -> Engine:
    if location.path is None:
        with optional():  # psycopg, which SQLAlchemy imports by its name in the URL
            return create_engine(
                location.url or "",
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=30,
                pool_timeout=patience,
                connect_args={
                    "connect_timeout": max(2, round(patience)),
                    "options": f"-c lock_timeout={max(1, round(patience * 1000))}",
                },
            )
    engine = create_engine(
        f"sqlite:///{location.path}",
        pool_size=10,
        max_overflow=30,
        pool_timeout=patience,
        connect_args={"timeout": patience},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Readers never wait for a writer (WAL), and what is committed survives a power cut (FULL)."""
    connection.isolation_level = None  # the driver would begin transactions late, and not before DDL
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _make_folder(folder: Path, location: Location) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise database_errors.unavailable(
            f"its folder {folder} can't be made ({error.strerror})", location
        ) from None
