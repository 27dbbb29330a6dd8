"""Tables that join a finished run later: candidates, evaluations, the map of neurons.

A run never changes; what is added lies beside its files in `additions/NAME/`, in parts that are written whole
and named `TIME-DIGEST.parquet`, by the sha256 of their content. Reading puts the parts together: of rows with
the same key the one written last counts. A run that ships with the program, lies on a server, or on a disk
that can't be written, keeps its additions in `CSP_HOME/additions/FINGERPRINT/`.

Several programs may add, read and compact at once, without a lock: a part never changes, and one is only
removed when its rows are in another.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from csp.errors import BadRunError, UnavailableError
from csp.files import read_regular
from csp.keeping import atomic
from csp.keeping.home import SHIPPED_RUNS, home
from csp.keeping.run_folder.contents import addition_fault
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import Columns, check_table, empty_table, read_table, table_bytes, to_arrow

_DIGITS = 64
"""Of a digest; parts of an older version have a short token in its place, and no checksum."""
_TRIES = 100
_LEFTOVER_SECONDS = 3600.0


@dataclass(frozen=True)
class AddedTable:
    """What a table of additions is called, its columns, and those that tell one row from another."""

    name: str
    columns: Columns
    key: tuple[str, ...]


class Additions:
    """The tables that were added to one run. `in_place` adds to a shipped run itself, as its makers do."""

    def __init__(self, run: Run, *, in_place: bool = False) -> None:
        self._manifest = run.manifest
        self._inside = run.path / "additions"
        self._outside = home() / "additions" / run.fingerprint
        lent = (run.path.is_relative_to(SHIPPED_RUNS) and not in_place) or run.mirror is not None
        self._own = self._outside if lent or not os.access(run.path, os.W_OK) else self._inside

    def read(self, table: AddedTable) -> pd.DataFrame:
        """All rows, in the order written, the last of each key; BadRunError names a damaged part."""
        read: dict[Path, pd.DataFrame] = {}
        for _ in range(_TRIES):  # other programs may add and compact meanwhile: until the parts stay the same
            parts = self._parts(table)
            try:
                read |= {part: self._part(part, table.columns) for part in parts if part not in read}
            except FileNotFoundError:
                continue
            if parts == self._parts(table):
                break
        else:
            raise UnavailableError(f"the table {table.name} changes all the time: try again in a moment")
        return _together([read[part] for part in parts], table)

    def append(self, table: AddedTable, rows: pd.DataFrame) -> None:
        """Add rows: all or none of them are there afterwards, whatever happens meanwhile.

        Raises UnavailableError where they can't be written: a full disk, missing rights.
        """
        if len(rows):
            self._write(table, f"{time.time_ns():020d}", rows)

    def expect_room(self) -> None:
        """Refuse before long work what `append` would refuse after it. Raises UnavailableError."""
        with _said_of(self._own):
            self._own.mkdir(parents=True, exist_ok=True)
            atomic.expect_room(self._own)

    def compact(self, table: AddedTable) -> None:
        """Put the parts that lie together into one; safe at any moment, as keys make doubles harmless.

        The new part has the time of the last one, so that what others add meanwhile stays the newest.
        """
        parts = sorted((self._own / table.name).glob("[!.]*.parquet"))
        self._remove_leftovers(table)
        if len(parts) < 2:
            return
        try:
            rows = _together([self._part(part, table.columns) for part in parts], table)
        except FileNotFoundError:  # another program does it just now
            return
        whole = self._write(table, parts[-1].name.partition("-")[0], rows)
        for part in parts:
            if part != whole:  # the last part may hold all that counts
                part.unlink(missing_ok=True)

    def problems(self) -> Iterator[str]:
        """Every damaged part of every table, each in one sentence."""
        for folder in (self._inside, self._outside):
            for part in sorted(folder.glob("*/[!.]*.parquet")):
                try:
                    check_table(part, _content(part))
                except FileNotFoundError:  # compacted meanwhile
                    continue
                except BadRunError as error:
                    yield str(error)

    def version(self, table: AddedTable) -> tuple[str, ...]:
        """Changes whenever the table does: what a page keys its cache with."""
        return tuple(part.name for part in self._parts(table))

    def state(self) -> tuple[str, ...]:
        """Changes whenever any table does: what is kept of several tables is kept by this."""
        folders = (self._inside, self._outside)
        return tuple(part.name for folder in folders for part in sorted(folder.glob("*/[!.]*.parquet")))

    def _part(self, part: Path, columns: Columns) -> pd.DataFrame:
        rows = _read_part(part, columns)
        if fault := addition_fault(rows, self._manifest):
            raise BadRunError(f"{part} does not fit the run: {fault}; delete the file")
        return rows

    def _parts(self, table: AddedTable) -> list[Path]:
        """The parts inside the run, then those outside it, each in the order of writing."""
        return [
            part
            for folder in (self._inside, self._outside)
            for part in sorted((folder / table.name).glob("[!.]*.parquet"))
        ]

    def _write(self, table: AddedTable, when: str, rows: pd.DataFrame) -> Path:
        content = table_bytes(to_arrow(rows, table.columns))
        part = self._own / table.name / f"{when}-{hashlib.sha256(content).hexdigest()}.parquet"
        with _said_of(part.parent):
            part.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(part, content)
        return part

    def _remove_leftovers(self, table: AddedTable) -> None:
        """Of programs that were killed while they wrote."""
        for path in (self._own / table.name).glob(f"{atomic.TEMPORARY}*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                    path.unlink()


@contextmanager
def _said_of(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"what is worked out can't be kept in {folder} ({error.strerror or error}): "
            "what was kept before stays; make room or allow writing, then repeat the command"
        ) from None


def _read_part(part: Path, columns: Columns) -> pd.DataFrame:
    return read_table(part, columns, content=_content(part))


def _content(part: Path) -> bytes:
    """The content of a part, which fits its name; FileNotFoundError when it went."""
    try:
        content = read_regular(part)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadRunError(f"{part} can't be read ({error.strerror}): copy the run again") from None
    digest = part.stem.partition("-")[2]
    if len(digest) == _DIGITS and hashlib.sha256(content).hexdigest() != digest:
        raise BadRunError(f"{part} was changed after it was written: copy the run again, or remove this part")
    return content


def _together(frames: list[pd.DataFrame], table: AddedTable) -> pd.DataFrame:
    if not frames:
        return empty_table(table.columns)
    rows = pd.concat(frames, ignore_index=True)
    return rows.drop_duplicates(list(table.key), keep="last", ignore_index=True)
