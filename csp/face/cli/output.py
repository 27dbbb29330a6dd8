"""How commands print: one JSON document, or plain aligned columns.

Labels, names and paths come from files and people: no control character of theirs reaches the terminal, where
it could move the cursor or change what other lines seem to say.
"""

import json
import math
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from csp.keeping.atomic import is_stdout

JOINERS = "\u200c\u200d"
"""Within words of some scripts, and within emoji."""


def print_json(document: Any) -> None:
    """Write one JSON document to stdout; numbers that JSON lacks (nan, infinity) become null."""
    escaped = "utf" not in (sys.stdout.encoding or "").lower()
    text = json.dumps(_plain(document), ensure_ascii=escaped, indent=2, allow_nan=False)
    _write(sys.stdout, ("".join(map(_escaped, line)) for line in text.split("\n")))


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    _write(sys.stdout, map(printable, lines))


def print_notes(notes: Iterable[str]) -> None:
    """Write notes to stderr, so that stdout holds the answer alone."""
    _write(sys.stderr, (f"note: {printable(note)}" for note in notes))


def print_error(message: str) -> None:
    """Write what is wrong to stderr, in one line."""
    _write(sys.stderr, [f"csp: {printable(' '.join(message.split()))}"])


def printable(text: str) -> str:
    """The text on one line, a blank in place of each control character; half a surrogate pair becomes ?."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _shown(one) for one in text)


def stdout_kept_for(out: Path) -> AbstractContextManager[object]:
    """Where the answer itself goes to stdout (`-o /dev/stdout`), what is said about it goes to stderr."""
    return redirect_stdout(sys.stderr) if is_stdout(out) else nullcontext()


def print_columns(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under a header, each column as wide as its widest cell."""
    table = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table)
    print_lines("  ".join(row).rstrip() for row in padded)


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()


def _shown(character: str) -> str:
    """Blanks of other widths and joiners stay, as they steer nothing."""
    kind = unicodedata.category(character)
    return character if kind == "Zs" or character in JOINERS else "?" if kind in ("Cs", "Co", "Cn") else " "


def _escaped(character: str) -> str:
    """In JSON such a character can only stand in a text, where it may be written as its number."""
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else printable(str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
