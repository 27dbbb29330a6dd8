"""Where the review record is: a file in `home()`, or the database that `CSP_DATABASE_URL` names."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from csp.errors import BadInputError
from csp.files import expanded
from csp.keeping.home import home

VARIABLE = "CSP_DATABASE_URL"
FILE_NAME = "reviews.sqlite"

_ADDRESS = re.compile(
    r"(?:[^:@/]*(?::[^@]*)?@)?(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?P<database>[^?@/#:]*))?(?:\?[^@]*)?"
)
"""What SQLAlchemy reads, without what it would take for something else."""
_POSTGRESQL = ("postgresql://", "postgres://", "postgresql+psycopg://")


@dataclass(frozen=True)
class Location:
    """An SQLite file (`path`), or PostgreSQL (`url`)."""

    path: Path | None = None
    url: str | None = field(default=None, repr=False)
    """With the password."""

    @classmethod
    def of(cls, url: str) -> Self:
        """The location that a URL names; BadInputError for anything but SQLite and PostgreSQL."""
        scheme = next((known for known in _POSTGRESQL if url.startswith(known)), None)
        if scheme is not None:
            rest = url.removeprefix(scheme)
            _check(rest)
            return cls(url=f"postgresql+psycopg://{rest}")
        if url.startswith("sqlite:///") and url != "sqlite:///":
            return cls(path=expanded(url.removeprefix("sqlite:///")).absolute())
        raise BadInputError(
            f"{VARIABLE} starts with neither postgresql:// nor sqlite:///; use "
            "postgresql://user:password@host/database or sqlite:///file, or leave it out"
        )

    @classmethod
    def configured(cls) -> Self:
        """`CSP_DATABASE_URL`, or `reviews.sqlite` in `home()`."""
        given = os.environ.get(VARIABLE, "").strip()
        return cls.of(given) if given else cls(path=home() / FILE_NAME)

    @property
    def kind(self) -> str:
        """What it is, in one word."""
        return "SQLite" if self.path is not None else "PostgreSQL"

    def __str__(self) -> str:
        """For messages: the file, or host and database; never user or password."""
        if self.path is not None:
            return str(self.path)
        found = _ADDRESS.fullmatch((self.url or "").partition("://")[2])
        host, database = (found["host"], found["database"]) if found else ("", "")
        return f"PostgreSQL on {host or 'this machine'}, database {database or '?'}"


def _check(rest: str) -> None:
    """Raise BadInputError unless an address can be read; no part of it is shown, as it may be a password."""
    found = _ADDRESS.fullmatch(rest)
    readable = found is not None and 0 < int(found["port"] or 5432) < 2**16
    if not readable or not unquote(rest).isprintable():  # libraries quote an address that is no text, whole
        raise BadInputError(
            f"{VARIABLE} can't be read as an address: write postgresql://user:password@host:5432/database, "
            "and in the password %40 for @, %25 for % and %3F for ?"
        )
