"""The cache of computed answers: JSON in, JSON out, bounded in size, safe to delete.

diskcache pickles whatever is not text or bytes. `JSONRows` replaces its serialisation, so nothing read
from the file can run code: a row of any other kind is dropped and computed again.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import diskcache

from csp.keeping.canonical_json import canonical_json

_MODE_RAW = 1
_UNUSABLE = (sqlite3.OperationalError, diskcache.Timeout, OSError)


class ForeignRowError(ValueError):
    """A row of the cache that `JSONRows` did not write."""


class JSONRows(diskcache.Disk):  # type: ignore[misc, unused-ignore] # diskcache has no types
    """Keys and values as text in the database itself: no pickle, no files beside it."""

    def put(self, key: object) -> tuple[str, bool]:
        """The key as it is; only text is allowed."""
        if not isinstance(key, str):
            raise ForeignRowError(f"keys are text, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: bool) -> str:
        """The key as it is; only text is allowed."""
        if not isinstance(key, str):
            raise ForeignRowError("a key that is not text")
        return key

    def store(self, value: Any, read: bool, key: object = None) -> tuple[int, int, None, str]:
        """The value as JSON text."""
        return 0, _MODE_RAW, None, canonical_json(value)

    def remove(self, file_path: object) -> None:
        """Nothing: no row has a file, and a row that claims one must not get it deleted."""

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> Any:
        """The value of JSON text; ForeignRowError for a row of any other kind."""
        if mode != _MODE_RAW or filename is not None or not isinstance(value, str):
            raise ForeignRowError(f"a row of mode {mode}")
        try:
            return json.loads(value)
        except ValueError as error:
            raise ForeignRowError(str(error)) from None


@dataclass(frozen=True)
class CachedResult:
    """A value and where it comes from: `by` what, `when`, and how many seconds it took."""

    value: Any
    source: Literal["cached", "computed"]
    by: str
    when: datetime
    seconds: float


def _answer(row: Any) -> CachedResult | None:
    """The answer that a row of the cache holds; None when it holds none."""
    try:
        return CachedResult(
            row["value"], "cached", row["by"], datetime.fromisoformat(row["when"]), float(row["seconds"])
        )
    except (TypeError, KeyError, ValueError):
        return None


class ResultCache:
    """The answers kept in one folder, at most about `limit_bytes` of them (the oldest go first).

    A damaged cache is moved aside, one that can't be written is done without: `notice` then says so.
    """

    def __init__(self, folder: Path, limit_bytes: int = 1 << 30) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.notice: str | None = None
        self._opened: diskcache.Cache | None = None

    def __enter__(self) -> Self:
        """The answers themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self.close()

    def close(self) -> None:
        """Close the database; it opens again when needed."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def get_or_compute(self, key: dict[str, Any], compute: Callable[[], Any], *, by: str) -> CachedResult:
        """The kept answer to `key` (run fingerprint and parameters, as JSON), or a new one, then kept.

        `compute` returns a JSON value without NaN. `by` says what computes: it is kept, not compared.
        """
        name = hashlib.sha256(canonical_json(key).encode()).hexdigest()
        kept = _answer(self._guarded(lambda cache: cache.get(name)))
        if kept is not None:
            return kept
        start = time.perf_counter()
        value = json.loads(canonical_json(compute()))
        row = {
            "value": value,
            "by": by,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - start, 6),
        }
        self._guarded(lambda cache: cache.set(name, row))
        return CachedResult(value, "computed", by, datetime.fromisoformat(row["when"]), row["seconds"])

    def clear(self) -> None:
        """Forget every answer."""
        self._guarded(lambda cache: cache.clear())

    def bytes_used(self) -> int:
        """The size of the database on disk."""
        return self._guarded(lambda cache: cache.volume()) or 0

    def _guarded(self, action: Callable[[diskcache.Cache], Any]) -> Any:
        """Run an action on the cache; None when the cache is damaged or can't be used."""
        try:
            return action(self._cache())
        except ForeignRowError:
            return None
        except _UNUSABLE as error:
            self.notice = f"answers are not kept, {self.folder} can't be used: {error}"
        except sqlite3.DatabaseError as error:
            self._move_aside(error)
        return None

    def _cache(self) -> diskcache.Cache:
        if self._opened is None:
            self._opened = diskcache.Cache(
                str(self.folder),
                disk=JSONRows,
                size_limit=self.limit_bytes,
                eviction_policy="least-recently-stored",
            )
        return self._opened

    def _move_aside(self, error: Exception) -> None:
        self.close()
        aside = self.folder.with_name(
            f"{self.folder.name}.broken-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        )
        with suppress(FileNotFoundError):  # another process did it first
            self.folder.rename(aside)
        self.notice = f"the kept answers were damaged ({error}): moved to {aside}, starting anew"
