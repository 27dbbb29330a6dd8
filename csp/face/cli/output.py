"""How commands print: one JSON document, or plain aligned columns."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def print_json(document: Any) -> None:
    """Write one JSON document to stdout; numbers that JSON lacks (nan, infinity) become null."""
    escaped = "utf" not in (sys.stdout.encoding or "").lower()
    print_lines([json.dumps(_plain(document), ensure_ascii=escaped, indent=2, allow_nan=False)])


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def print_notes(notes: Iterable[str]) -> None:
    """Write notes to stderr, so that stdout holds the answer alone."""
    sys.stderr.writelines(f"note: {note}\n" for note in notes)
    sys.stderr.flush()


def print_columns(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under a header, each column as wide as its widest cell."""
    table = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table)
    print_lines("  ".join(row).rstrip() for row in padded)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
