"""A private PostgreSQL server for the tests, and one database of its own for each."""

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
            [sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._url = self._answer()
        self._made = 0
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._made += 1
        name = f"test{self._made}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url.replace("/postgres?", f"/{name}?")

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
