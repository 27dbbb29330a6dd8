"""Files that people exchange: CSV, JSON and Parquet, all with the columns of `rows.COLUMNS`.

A spreadsheet runs a cell that starts with `=` and the like as a formula. In CSV such cells get a leading
apostrophe, as do cells that start with one, and reading takes it off again.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from csp.errors import BadInputError, NotFoundError
from csp.files import read_regular
from csp.keeping import atomic
from csp.keeping.reviews.rows import COLUMNS, LINE, NO_ROW, REQUIRED, SURPLUS
from csp.keeping.spreadsheet import guarded, unguarded
from csp.world.documents import parse_json_rows
from csp.world.tables import read_table, same_name

Row = Mapping[str, Any]


def file_format(path: Path, named: str | None = None) -> str:
    """`csv`, `json` or `parquet`: the one named, or the file's ending; BadInputError for another."""
    found = named or path.suffix.lower().lstrip(".")
    found = "csv" if found in _TEXT_TABLES else found
    if found not in _WRITERS:
        raise BadInputError(f"{found or path.name!r} is no format of reviews; use csv, json or parquet")
    return found


def write_rows(path: Path, rows: Iterable[Row], named: str | None = None) -> None:
    """Write rows to a file, whole or not at all."""
    atomic.deliver(path, _WRITERS[file_format(path, named)](rows))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; BadInputError when it can't be read or lacks a column that every row needs."""
    reader = _READERS[file_format(path)]
    try:
        rows = reader(path)
    except (FileNotFoundError, NotFoundError):
        raise BadInputError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadInputError(f"{path} can't be read as {file_format(path)}: {reason}") from None
    if rows:
        _check_columns(path, {name for row in rows for name in row})
    return rows


def _check_columns(path: Path, names: Collection[str]) -> None:
    if twice := [name for name in COLUMNS if list(names).count(name) > 1]:
        raise BadInputError(f"{path} has two columns {twice[0]!r}: keep one of them")
    if missing := [name for name in REQUIRED if name not in names]:
        raise BadInputError(
            f"{path} has no column {missing[0]!r} among {', '.join(sorted(map(str, names)))[:200]}; "
            f"it needs {', '.join(REQUIRED)}"
        )


def _write_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for row in rows:
        cells = {**row, "tags": ";".join(row["tags"])}
        writer.writerow({name: guarded(cell) for name, cell in cells.items()})
    return text.getvalue().encode()


def _read_csv(path: Path) -> list[dict[str, Any]]:
    table = read_table(path, "file of reviews", row_by_row=True)
    if table.columns == COLUMNS:  # an export of ours, which says all as it is
        table = read_table(path, "file of reviews", keep_blanks=True, row_by_row=True)
    known = {same_name(name): name for name in COLUMNS}
    names = [known.get(same_name(column), column) for column in map(_unnumbered, table.columns)]
    _check_columns(path, names)  # a heading says what the file is, rows or none
    return [
        {name: unguarded(cell) for name, cell in zip(names, row, strict=False)}
        | {LINE: line, SURPLUS: len(row) - len(names)}
        for row, line in zip(table.rows, table.lines, strict=True)
    ]


def _write_json(rows: Iterable[Row]) -> bytes:
    return json.dumps(list(rows), ensure_ascii=False, indent=1, allow_nan=False).encode()


def _read_json(path: Path) -> list[dict[str, Any]]:
    data = read_regular(path)
    text = data.decode(json.detect_encoding(data))
    rows = parse_json_rows(text, f"the file of reviews {path}")
    return [row if isinstance(row, dict) else {NO_ROW: row} for row in rows]


def _write_parquet(rows: Iterable[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        **dict.fromkeys(("neuron", "examples", "sequence"), pa.int64()),
        **dict.fromkeys(("reviewer_verified", "blind"), pa.bool_()),
        "gamma": pa.float64(),
        "tags": pa.list_(pa.string()),
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows), schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    _check_columns(path, table.column_names)
    columns = [[_value(cell) for cell in column] for column in table.columns]
    return [dict(zip(table.column_names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _value(cell: Any) -> Any:
    """A cell of Parquet; one that is none of its kind (a time of the year 300,000) refuses its row."""
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return f"unreadable {cell.type}".encode()


def _unnumbered(column: str) -> str:
    """The name of a column as the head has it: a repeated one got a number."""
    name, _, number = column.rpartition(".")
    return name if name and number.isdecimal() else column


_TEXT_TABLES = ("csv", "tsv", "txt", "tab")
_WRITERS: dict[str, Callable[[Iterable[Row]], bytes]] = {
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
}
_READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "csv": _read_csv,
    "json": _read_json,
    "parquet": _read_parquet,
}
