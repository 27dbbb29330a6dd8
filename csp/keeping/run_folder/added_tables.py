"""Tables that join a finished run later: candidates, evaluations, the map of neurons.

A run never changes; what is added lies beside its files in `additions/NAME/`, in parts written whole. Reading
puts the parts together: of rows with the same key the one written last counts. A run that ships with the
program, or lies on a disk that can't be written, keeps its additions in `CSP_HOME/additions/FINGERPRINT/`.
"""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from csp.errors import BadRunError, UnavailableError
from csp.keeping.home import SHIPPED_RUNS, home
from csp.keeping.run_folder.contents import addition_fault
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.tables import Columns, empty_table, read_table, to_arrow, write_table


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
        shipped = run.path.is_relative_to(SHIPPED_RUNS) and not in_place
        self._own = self._outside if shipped or not os.access(run.path, os.W_OK) else self._inside

    def read(self, table: AddedTable) -> pd.DataFrame:
        """All rows, in the order written, the last of each key; BadRunError names a damaged part."""
        parts = self._parts(table)
        if not parts:
            return empty_table(table.columns)
        rows = pd.concat([self._part(part, table) for part in parts], ignore_index=True)
        return rows.drop_duplicates(list(table.key), keep="last", ignore_index=True)

    def append(self, table: AddedTable, rows: pd.DataFrame) -> None:
        """Add rows: all or none of them are there afterwards, whatever happens meanwhile.

        Raises UnavailableError where they can't be written: a full disk, missing rights.
        """
        if not len(rows):
            return
        part = self._new_part(table)
        try:
            write_table(part, to_arrow(rows, table.columns))
        except OSError as error:
            raise UnavailableError(
                f"what was worked out can't be kept in {part.parent} ({error.strerror or error}): "
                "what was kept before stays; make room or allow writing, then repeat the command"
            ) from None

    def compact(self, table: AddedTable) -> None:
        """Put the parts that lie together into one; safe at any moment, as keys make doubles harmless."""
        parts = sorted((self._own / table.name).glob("*.parquet"))
        if len(parts) < 2:
            return
        rows = pd.concat([self._part(part, table) for part in parts], ignore_index=True)
        self.append(table, rows.drop_duplicates(list(table.key), keep="last", ignore_index=True))
        for part in parts:
            part.unlink(missing_ok=True)

    def version(self, table: AddedTable) -> tuple[str, ...]:
        """Changes whenever the table does: what a page keys its cache with."""
        return tuple(part.name for part in self._parts(table))

    def state(self) -> tuple[str, ...]:
        """Changes whenever any table does: what is kept of several tables is kept by this."""
        folders = (self._inside, self._outside)
        return tuple(part.name for folder in folders for part in sorted(folder.glob("*/[!.]*.parquet")))

    def _part(self, part: Path, table: AddedTable) -> pd.DataFrame:
        rows = read_table(part, table.columns)
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

    def _new_part(self, table: AddedTable) -> Path:
        return self._own / table.name / f"{time.time_ns():020d}-{secrets.token_hex(4)}.parquet"
