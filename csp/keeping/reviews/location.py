"""Where the review record is: a file in `home()`, or the database that `CSP_DATABASE_URL` names."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from csp.errors import BadInputError
from csp.files import expanded
from csp.keeping.home import home

VARIABLE = "CSP_DATABASE_URL"
FILE_NAME = "reviews.sqlite"

_POSTGRESQL = ("postgresql://", "postgres://", "postgresql+psycopg://")


@dataclass(frozen=True)
class Location:
    """An SQLite file (`path`), or PostgreSQL (`url`)."""

    path: Path | None = None
    url: str | None = None

    @classmethod
    def of(cls, url: str) -> Self:
        """The location that a URL names; BadInputError for anything but SQLite and PostgreSQL."""
        scheme = next((known for known in _POSTGRESQL if url.startswith(known)), None)
        if scheme is not None:
            return cls(url=f"postgresql+psycopg://{url.removeprefix(scheme)}")
        if url.startswith("sqlite:///") and url != "sqlite:///":
            return cls(path=expanded(url.removeprefix("sqlite:///")).absolute())
        scheme = url.partition(":")[0] if ":" in url else url
        raise BadInputError(
            f"{VARIABLE} starts with {scheme!r}; use postgresql://user:password@host/database "
            "or sqlite:///file, or leave it out"
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
        parts = urlsplit(self.url or "")
        return f"PostgreSQL on {parts.hostname or 'this machine'}, database {parts.path.lstrip('/') or '?'}"
