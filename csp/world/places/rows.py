"""Pictures that lie in the rows of Parquet and Arrow files, as `datasets` stores them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from csp.errors import NotFoundError
from csp.numerals import whole
from csp.world.pictures.decode import UnreadableImageError, decode_image
from csp.world.places.archive import cut_off
from csp.world.places.place import Place

KEPT = 2
"""Row groups whose pictures are held in memory: images are read in order, some at a time."""
LOOKED_AT = 5
"""Rows read at once to find one that holds something."""


@dataclass(frozen=True)
class RowFile:
    """One file of rows, and the split that it belongs to."""

    path: Path
    split: str

    @cached_property
    def _open(self) -> "pq.ParquetFile | pa.Table":
        try:
            if self.path.suffix == ".parquet":
                return pq.ParquetFile(self.path, memory_map=True)
            return _arrow_table(self.path)
        except FileNotFoundError:
            raise NotFoundError(f"The file '{self.path}' does not exist.") from None
        except (pa.ArrowException, OSError):
            raise cut_off(f"The file '{self.path}'") from None

    def schema(self) -> pa.Schema:
        """Its columns."""
        opened = self._open
        return opened.schema_arrow if isinstance(opened, pq.ParquetFile) else opened.schema

    def batches(self, columns: list[str], size: int) -> Iterator[pa.RecordBatch]:
        """Some columns, in order."""
        opened = self._open
        try:
            if isinstance(opened, pq.ParquetFile):
                yield from opened.iter_batches(size, columns=columns)
            else:
                yield from opened.select(columns).to_batches(size)
        except (pa.ArrowException, OSError):
            raise cut_off(f"The file '{self.path}'") from None

    @cached_property
    def ends(self) -> list[int]:
        """The row after the last of each group that is read at once."""
        opened = self._open
        if isinstance(opened, pq.ParquetFile):
            counts = [opened.metadata.row_group(at).num_rows for at in range(opened.metadata.num_row_groups)]
        else:
            counts = [opened.num_rows]
        return list(accumulate(counts))

    def group(self, number: int, column: str) -> pa.ChunkedArray:
        """A column of one group."""
        opened = self._open
        try:
            table = opened.read_row_group(number, [column]) if isinstance(opened, pq.ParquetFile) else opened
            return table.column(column)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableImageError("The rows around it are damaged in the file.") from error

    def holds_pictures(self, column: str) -> bool:
        """Whether the first row that holds anything holds a picture."""
        for batch in self.batches([column], LOOKED_AT):
            found = next((data for cell in batch.column(column) if (data := _data(cell.as_py()))), None)
            if found is None:
                continue
            try:
                return decode_image(found) is not None
            except UnreadableImageError:
                return False
        return False


class RowPlace(Place):
    """Pictures named `PART/ROW`."""

    def __init__(self, files: Mapping[str, RowFile], column: str, name: str) -> None:
        self._files, self._column, self._name = dict(files), column, name
        self._groups: dict[tuple[str, int], pa.ChunkedArray] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self._name

    def files(self) -> Iterable[str]:
        """All rows, file by file."""
        for part, file in self._files.items():
            yield from (f"{part}/{row:07d}" for row in range(file.ends[-1] if file.ends else 0))

    def is_file(self, path: str) -> bool:
        """Whether there is such a row."""
        part, _, row = path.partition("/")
        ends = self._files[part].ends if part in self._files else []
        number = whole(row)
        return number is not None and bool(ends) and number < ends[-1]

    def read(self, path: str) -> bytes:
        """The picture's file as stored in the row."""
        if not self.is_file(path):
            raise UnreadableImageError("There is no such row.")
        part, _, row = path.partition("/")
        cell = self._cell(part, int(row))
        data = _data(cell)
        if data is None:
            raise UnreadableImageError(_nothing(cell))
        return data

    def _cell(self, part: str, row: int) -> Any:
        ends = self._files[part].ends
        number = bisect_right(ends, row)
        with self._lock:
            group = self._groups.get((part, number))
            if group is None:
                group = self._files[part].group(number, self._column)
                while len(self._groups) >= KEPT:
                    self._groups.pop(next(iter(self._groups)))
                self._groups[part, number] = group
        return group[row - (ends[number - 1] if number else 0)].as_py()


def _arrow_table(path: Path) -> pa.Table:
    """Arrow's streams, as `save_to_disk` writes them, and its files; mapped, not read."""
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source).read_all()


def _data(cell: Any) -> bytes | None:
    found = cell.get("bytes") if isinstance(cell, dict) else cell
    return found if isinstance(found, bytes) and found else None


def _nothing(cell: Any) -> str:
    named = isinstance(cell, dict) and cell.get("path")
    return (
        "The row holds only the name of a file, not the picture itself; save_to_disk puts the pictures in."
        if named
        else "The row holds no picture."
    )
