"""A private PostgreSQL server for the tests, and its database, emptied for each."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

SCRIPT = Path(__file__).parents[1] / "scripts" / "private_postgres.py"


class PrivatePostgres:
    """Runs `scripts/private_postgres.py`, which stops the server when this process ends, however it ends."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # what ends all of ours at once must leave it the time to stop
        )
        self._url = self._answer()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def empty_database(self) -> str:
        """The URL of the database, emptied; whoever was connected is not any more.

        One database for each test would be simpler, but making forty takes a minute of disk work.
        """
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self._url

    def restart(self) -> None:
        """Restart as after a crash."""
        assert self._process.stdin is not None
        self._process.stdin.write("restart\n")
        self._process.stdin.flush()
        assert self._answer() == "restarted"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def is_installed() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
