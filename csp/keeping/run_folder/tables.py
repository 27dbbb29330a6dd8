"""The Parquet tables of a run: their columns, writing and reading."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from csp.errors import BadRunError, CspError
from csp.keeping import atomic
from csp.keeping.run_folder.contents import is_simple, same_type

Columns = dict[str, pa.DataType]
MOST_ROWS = 50_000_000
"""No table of a run has more: a small file can claim any number."""

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float32()

IMAGES: Columns = {
    "image": _WHOLE,
    "path": _TEXT,
    "label": _TEXT,
    "split": _TEXT,
    "width": _WHOLE,
    "height": _WHOLE,
    "prediction": _TEXT,
}
SKIPPED: Columns = {"path": _TEXT, "reason": _TEXT}
REMARKS: Columns = {"path": _TEXT, "remark": _TEXT}
"""Of a job only: what its notes are made of."""
VOCABULARY: Columns = {"text": _TEXT, "attributes": pa.list_(_TEXT), "broad": pa.bool_()}
NEURONS: Columns = {
    "neuron": _WHOLE,
    "state": _TEXT,
    "mean": pa.float64(),
    "max": _REAL,
    "share_firing": _REAL,
    "activating": pa.list_(_WHOLE),
    "activation": pa.list_(_REAL),
    "contrastive": pa.list_(_WHOLE),
    "contrastive_activation": pa.list_(_REAL),
    "similarity": pa.list_(_REAL),
}
LABELS: Columns = {"neuron": _WHOLE, "labeler": _TEXT, "rank": _WHOLE, "label": _TEXT, "score": _REAL}
FEW = ("labeler", "label")
"""Of `LABELS`: texts that are there many times."""


def location(name: str) -> str:
    """Path of a table inside a run."""
    return f"tables/{name}.parquet"


def to_arrow(frame: pd.DataFrame, columns: Columns) -> pa.Table:
    """The frame as Arrow: the named columns first, of their type, then the rest as they are.

    A column that is missing from the frame raises ValueError: it is the caller's mistake.
    """
    if missing := [name for name in columns if name not in frame.columns]:
        raise ValueError(f"the table lacks the columns {missing}")
    extra = [name for name in frame.columns if name not in columns]
    named = {name: _column(frame[name], kind) for name, kind in columns.items()}
    return pa.table(named | {name: _column(frame[name], None) for name in extra})


def _column(values: pd.Series, kind: pa.DataType | None) -> pa.Array:
    return pa.Array.from_pandas(values, type=kind)


def table_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file; the same table gives the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, table_bytes(table))


def read_table(
    path: Path, columns: Columns, few: Sequence[str] = (), content: bytes | None = None
) -> pd.DataFrame:
    """Read a table; booleans with gaps come as `boolean`, a missing text as None,
    lists of numbers as arrays, of text as lists. The columns `few` hold few texts many times: as categories
    they take a tenth of the room. `content` is that of the file where it was read already.

    Raises
    ------
    BadRunError
        The file is missing, damaged, or lacks one of `columns` or has it of another type.
    """
    try:
        with pq.ParquetFile(_source(path, content)) as file:
            _check_columns(path, file.schema_arrow, columns)
            if file.metadata.num_rows > MOST_ROWS:
                raise BadRunError(f"{path} has {file.metadata.num_rows} rows: copy the run again")
        with pq.ParquetFile(_source(path, content), read_dictionary=list(few)) as file:
            return _frame(file.read())
    except CspError:
        raise
    except Exception as error:  # noqa: BLE001 (what decoders raise over foreign bytes is anybody's guess)
        raise BadRunError(f"{path} can't be read ({_first_line(error)}): copy the run again") from None


def check_table(path: Path, content: bytes) -> None:
    """BadRunError when the content of a file is no table, whatever its columns."""
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            file.read()
    except Exception as error:  # noqa: BLE001 (what decoders raise over foreign bytes is anybody's guess)
        raise BadRunError(f"{path} can't be read ({_first_line(error)}): copy the run again") from None


def _source(path: Path, content: bytes | None) -> Path | pa.BufferReader:
    return path if content is None else pa.BufferReader(content)


def _check_columns(path: Path, schema: pa.Schema, columns: Columns) -> None:
    names = schema.names
    if missing := [name for name in columns if name not in names]:
        raise BadRunError(f"{path} lacks the columns {missing}: copy the run again")
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadRunError(f"{path} has the column {twice[0]!r} twice: copy the run again")
    for field in schema:
        wanted = columns.get(field.name)
        if not (is_simple(field.type) if wanted is None else same_type(field.type, wanted)):
            should = f" instead of {wanted}" if wanted is not None else ""
            raise BadRunError(f"{path} holds {field.type} in {field.name!r}{should}: copy the run again")


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for column in (f.name for f in table.schema if f.type == pa.list_(_TEXT)):
        frame[column] = table[column].to_pylist()
    for column in (f.name for f in table.schema if pa.types.is_string(f.type) and table[f.name].null_count):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    gaps = [f.name for f in table.schema if f.type == pa.bool_() and table[f.name].null_count]
    return frame.astype(dict.fromkeys(gaps, "boolean")) if gaps else frame


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def empty_table(columns: Columns) -> pd.DataFrame:
    """A table without rows."""
    frame: pd.DataFrame = pa.schema(list(columns.items())).empty_table().to_pandas()
    return frame
