"""Reads a vocabulary: one text a line, or a CSV table that also says which attributes a text names."""

import csv
import io
from pathlib import Path

import pandas as pd

from csp.errors import BadInputError, NotFoundError

COLUMNS = ["text", "attributes", "broad"]
TRUE = {"1", "true", "yes"}
FALSE = {"", "0", "false", "no"}


def read_vocabulary(path: Path) -> pd.DataFrame:
    """`read_terms` without repeated texts: the first of them stays."""
    return read_terms(path).drop_duplicates("text", ignore_index=True)


def read_terms(path: Path) -> pd.DataFrame:
    """Columns `text` (str, in file order), `attributes` (list[str]) and `broad` (bool).

    A `.csv` file has the columns text, attributes (separated by `;`) and broad (0 or 1), the last two
    optional; any other file has one text a line. Blank lines are left out.
    Raises NotFoundError without the file, BadInputError when it can't be read or holds no text.
    """
    if not path.is_file():
        raise NotFoundError(
            f"there is no vocabulary file {path}; give a text file with one term a line, or a .csv"
        )
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"the vocabulary {path} is not UTF-8 text; save it as UTF-8") from error
    rows = _csv_rows(content, path) if path.suffix.lower() == ".csv" else _lines(content)
    table = pd.DataFrame(rows, columns=COLUMNS)
    if table.empty:
        raise BadInputError(f"the vocabulary {path} holds no text; write one term a line")
    return table.astype({"broad": bool})


def _lines(content: str) -> list[tuple[str, list[str], bool]]:
    return [(text, [], False) for line in content.splitlines() if (text := " ".join(line.split()))]


def _csv_rows(content: str, path: Path) -> list[tuple[str, list[str], bool]]:
    reader = csv.DictReader(io.StringIO(content), restkey="")
    if "text" not in (reader.fieldnames or ()):
        raise BadInputError(
            f"the vocabulary {path} has no column `text`; its columns must be text, attributes, broad"
        )
    return [_csv_row(row, reader.line_num, path) for row in reader if (row["text"] or "").strip()]


def _csv_row(row: dict[str, str | None], line: int, path: Path) -> tuple[str, list[str], bool]:
    attributes = [name.strip() for name in (row.get("attributes") or "").split(";") if name.strip()]
    broad = (row.get("broad") or "").strip().lower()
    if broad not in TRUE | FALSE:
        raise BadInputError(f"{path}, line {line}: broad is {broad!r}; write 0 or 1")
    return " ".join((row["text"] or "").split()), attributes, broad in TRUE
