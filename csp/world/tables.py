"""The one reader of tables that people bring as text: datasets, vocabularies, verdicts, checklists.

Separator (comma, semicolon, tab, bar; a first line `sep=;` as Excel writes it), encoding (UTF-8, UTF-16,
Windows-1252), blanks around cells and empty rows are told from the file: nobody has to export it anew.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from csp.errors import BadInputError, NotFoundError
from csp.files import read_regular

SEPARATORS = ",;\t|"
MOST_CHARACTERS = 10_000_000
"""Of one cell: what is longer is most likely a table whose quotes are not closed."""
MOST_ODD = 0.05
"""Of a text's characters: a file with more that no text holds is no text."""
WINDOWS = "Windows-1252"

_DECLARED = re.compile(r"""["']?sep=(.)["']?[,;\t]*\r?\n""", re.IGNORECASE)
_CONTROL = re.compile(r"[\0-\x08\x0e-\x19\x1b-\x1f]")
"""What no text holds (a form feed and the end mark of old editors it may)."""
_OTHER_KINDS = {
    b"PK\x03\x04": "an Excel workbook (or another zip archive): save its sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save its sheet as CSV",
    b"PAR1": "a Parquet file: save it as CSV",
    b"SQLite format 3": "a database: export the table as CSV",
    b"%PDF": "a PDF: export the table as CSV",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: fetch it with git lfs pull",
    b"<!DOCTYPE": "a web page, not a table: download the file itself",
    b"<html": "a web page, not a table: download the file itself",
}


@dataclass(frozen=True)
class TextTable:
    """The rows of a table as text, without the blanks around cells; "" where a cell is empty."""

    columns: tuple[str, ...]
    """Their names as written, each once."""
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    """The line of the file in which each row ends, counted from 1."""
    notes: tuple[str, ...] = ()

    def column(self, names: Iterable[str]) -> str | None:
        """The table's own spelling of the first of these names that it has (see `same_name`)."""
        spelled = {same_name(column): column for column in reversed(self.columns)}
        return next((spelled[key] for name in names if (key := same_name(name)) in spelled), None)

    def cells(self, column: str) -> list[str]:
        """One column from top to bottom."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]


def same_name(name: str) -> str:
    """What of a column's name counts when names are compared."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def read_table(
    path: Path, what: str = "table", *, keep_blanks: bool = False, row_by_row: bool = False
) -> TextTable:
    """Read a table with a head. Raises `NotFoundError`, or `BadInputError` that names the line.

    `keep_blanks`: those around cells are part of them, as in a file that this program wrote. `row_by_row`: a
    row of more cells than the head has names, or with some characters that no text holds, stays as it is, for
    whoever refuses rows one by one.
    """
    text, notes = read_text(path, what, odd=row_by_row)
    table = parse_table(text, f"the {what} {path}", keep_blanks=keep_blanks, row_by_row=row_by_row)
    return TextTable(table.columns, table.rows, table.lines, notes)


def read_text(path: Path, what: str, odd: bool = False) -> tuple[str, tuple[str, ...]]:
    """A text file's content in whatever encoding it is, and a note where that had to be guessed; `odd`: some
    characters may be such as no text holds."""
    try:
        data = read_regular(path)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path} for the {what}: check the path") from None
    except OSError as error:
        raise BadInputError(f"the {what} {path} can't be read ({error.strerror or error})") from None
    return text_of(data, path.name, f"the {what} {path}", odd)


def text_of(data: bytes, name: str, what: str, odd: bool = False) -> tuple[str, tuple[str, ...]]:
    """The same of a file's content; `what` begins the sentences of `BadInputError`."""
    start = data[:64].lstrip()
    for sign, kind in _OTHER_KINDS.items():
        if start.lower().startswith(sign.lower()):
            raise BadInputError(f"{what} is {kind}")
    try:
        text, notes = _decoded(data, name)
    except UnicodeDecodeError:
        text, notes = "\0", ()
    found = _CONTROL.findall(text)
    if found and len(found) > MOST_ODD * len(text):
        raise BadInputError(f"{what} is not text in UTF-8, UTF-16 or {WINDOWS}: save it as UTF-8")
    if found and not odd:
        line = text.count("\n", 0, text.index(found[0])) + 1
        raise BadInputError(
            f"{what} has a character that no text holds (number {ord(found[0])}) in line {line}: remove it"
        )
    return text, notes


def parse_table(text: str, what: str, *, keep_blanks: bool = False, row_by_row: bool = False) -> TextTable:
    """A table from its text; `what` begins the sentences of `BadInputError`."""
    skipped = 0
    declared = _DECLARED.match(text)
    if declared:
        text, skipped = text[declared.end() :], 1
    if not text.strip():
        raise BadInputError(f"{what} is empty, so it can't be read as a table")
    separator = declared[1] if declared else _separator(text)
    records = _records(text, separator, what, keep_blanks)
    found = [(line + skipped, cells) for line, cells in records if any(cells)]
    if not found:
        raise BadInputError(f"{what} has no row with text in it")
    (_, head), *body = found
    widest = max((_width(cells) for _, cells in body), default=0)
    names = _names(head, widest)
    width = len(names)
    for line, cells in body:
        if _width(cells) > width and not row_by_row:
            raise BadInputError(
                f"{what} has more cells in its rows than names in its head: line {line} has {_width(cells)} "
                f"for {width} columns{_hint(separator)}"
            )
    rows = tuple(tuple((*cells, *[""] * width)[: max(width, _width(cells))]) for _, cells in body)
    return TextTable(names, rows, tuple(line for line, _ in body))


def _decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16"), ()
    if (guess := _utf16_without_mark(data)) is not None:
        return data.decode(guess), ()
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        note = f"{name} is not UTF-8; it was read as {WINDOWS}: check letters such as ä or é"
        return data.decode("cp1252"), (note,)


def _utf16_without_mark(data: bytes) -> str | None:
    """Latin text in UTF-16 has a NUL in every second byte."""
    some = data[:400]
    if len(some) < 4:
        return None
    even, odd = some[0::2].count(0), some[1::2].count(0)
    if odd > 0.6 * len(some) / 2 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * len(some) / 2 and not odd else None


def _separator(text: str) -> str:
    """The one that parts the head into most names; "" where there is only one name."""
    head = re.sub(r'"[^"]*"', "", next(line for line in text.splitlines() if line.strip()))
    best = max(SEPARATORS, key=head.count)
    return best if head.count(best) else ""


def _records(text: str, separator: str, what: str, keep_blanks: bool) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line in which it ends; without a separator each line is one cell."""
    csv.field_size_limit(MOST_CHARACTERS)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator or "\x1f", skipinitialspace=not keep_blanks, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells if keep_blanks else [cell.strip() for cell in cells]
    except csv.Error as error:
        if "field limit" in str(error):
            raise BadInputError(
                f"{what} has a cell of more than {MOST_CHARACTERS:,} characters in line {reader.line_num}: "
                "close its quotes, or leave it out"
            ) from None
        raise BadInputError(
            f"{what} can't be read as a table: line {reader.line_num} has quotes that are not closed, or "
            f"text after them ({error})"
        ) from None


def _width(cells: Sequence[str]) -> int:
    """Cells up to the last that holds text."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1]), 0)


def _names(head: Sequence[str], widest: int) -> tuple[str, ...]:
    """A name for each column: those without one are numbered, repeated ones are, too."""
    names: list[str] = []
    for place, given in enumerate(head[: max(_width(head), min(widest, len(head)))]):
        name, number = given or f"column {place + 1}", 2
        while name in names:
            name, number = f"{given or f'column {place + 1}'}.{number - 1}", number + 1
        names.append(name)
    return tuple(names)


def _hint(separator: str) -> str:
    shown = {"\t": "a tab", "": "nothing"}.get(separator, repr(separator))
    return f" (cells are parted by {shown})"
