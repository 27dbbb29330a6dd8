"""Reads a vocabulary: one text a line, a table that also says which attributes a text names, or JSON."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from csp.errors import BadInputError, NotFoundError
from csp.world.documents import parse_json
from csp.world.tables import SEPARATORS, TextTable, parse_table, read_text

COLUMNS = ["text", "attributes", "broad"]
TEXT_NAMES = ("text", "term", "label", "concept", "word", "name", "texts", "terms", "labels", "concepts")
TRUE = {"1", "true", "yes", "1.0"}
FALSE = {"", "0", "false", "no", "0.0"}
LONGEST = 10_000
"""Characters of a text: encoders read some 400 of them, and no more is a label."""

Row = tuple[str, list[str], bool]


@dataclass(frozen=True)
class Vocabulary:
    """The texts of a file, and what is worth knowing of how they were read."""

    table: pd.DataFrame
    """Columns `text` (str, in file order), `attributes` (list[str]) and `broad` (bool)."""
    notes: tuple[str, ...]


def read_vocabulary(path: Path) -> Vocabulary:
    """`read_terms` without repeated texts: the first of them stays."""
    terms = read_terms(path)
    return Vocabulary(terms.table.drop_duplicates("text", ignore_index=True), terms.notes)


def read_terms(path: Path) -> Vocabulary:
    """Every text of a vocabulary; blank lines are left out.

    A table (its head has a column text, and perhaps attributes, separated by `;`, and broad, 0 or 1) and a
    JSON list are told by what the file holds; any other file has one text a line, or all on one line with
    commas between them. Raises NotFoundError without the file, BadInputError when it can't be read or holds
    no text.
    """
    if not path.exists():
        raise NotFoundError(
            f"there is no vocabulary file {path}; give a text file with one term a line, or a .csv"
        )
    content, notes = read_text(path, "vocabulary")
    rows, remarks = _rows(content, path)
    table = pd.DataFrame(rows, columns=COLUMNS)
    if table.empty:
        raise BadInputError(f"the vocabulary {path} holds no text; write one term a line")
    if long := next((text for text in table["text"] if len(text) > LONGEST), None):
        raise BadInputError(
            f"the vocabulary {path} has a text of {len(long):,} characters, and a label has at most "
            f"{LONGEST:,}: write one term a line ({long[:40]!r}…)"
        )
    if table["text"].nunique() == 1:
        remarks = (*remarks, "the vocabulary holds one text only, so every neuron gets it as its label")
    return Vocabulary(table.astype({"broad": bool}), (*notes, *remarks))


def _rows(content: str, path: Path) -> tuple[list[Row], tuple[str, ...]]:
    if content.lstrip().startswith(("[", "{")) or path.suffix.lower() == ".json":
        return list(_json_rows(content, path)), ()
    if not content.strip():
        return [], ()
    if path.suffix.lower() in (".csv", ".tsv") or _has_head(content):
        return _table_rows(parse_table(content, f"the vocabulary {path}"), path), ()
    return _lines(content)


def _has_head(content: str) -> bool:
    """Whether the first line names the columns of a table: `text` beside others."""
    first = next(line for line in content.splitlines() if line.strip())
    parts = [part.strip(' "').lower() for part in re.split(f"[{re.escape(SEPARATORS)}]", first)]
    return first.lower().startswith("sep=") or (len(parts) > 1 and set(parts) <= set(COLUMNS))


def _lines(content: str) -> tuple[list[Row], tuple[str, ...]]:
    lines = [line.rstrip(" ,;") for line in content.splitlines() if line.strip(" ,;\t")]
    separator = max(",;\t", key=lines[0].count) if len(lines) == 1 else ""
    if not separator or not lines[0].count(separator):
        return [(text, [], False) for line in lines if (text := _tidy(line))], ()
    texts = [text for part in lines[0].split(separator) if (text := _tidy(part.strip(" \"'")))]
    mark = {",": "commas", ";": "semicolons", "\t": "tabs"}[separator]
    note = f"the one line of the vocabulary was parted at its {mark} into {len(texts)} texts"
    return [(text, [], False) for text in texts], (note,)


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _json_rows(content: str, path: Path) -> Iterator[Row]:
    """A list of texts, or of objects with a text; also texts by number, as classes often come."""
    try:
        found = parse_json(content, f"the vocabulary {path} begins like JSON but")
    except BadInputError as error:
        raise BadInputError(f"{error}; write a list of texts, or one term a line") from None
    for place, item in enumerate(_items(found), start=1):
        given = item if isinstance(item, dict) else {"text": item}
        text, named = given.get("text"), given.get("attributes", [])
        if not isinstance(text, str) or not isinstance(named, list) or not all(map(_is_text, named)):
            raise BadInputError(
                f"the vocabulary {path} must be a JSON list of texts; item {place} is {json.dumps(item)[:60]}"
            )
        if _tidy(text):
            yield _tidy(text), list(named), bool(given.get("broad", False))


def _items(found: Any) -> Iterable[Any]:
    if isinstance(found, dict) and all(str(key).isdigit() for key in found):
        return found.values()
    return found if isinstance(found, list) else [found]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _table_rows(table: TextTable, path: Path) -> list[Row]:
    text = table.column(TEXT_NAMES)
    if text is None and (len(table.columns) == 1 or not table.rows):  # a list without a head
        texts = (*table.columns, *(row[0] for row in table.rows))
        return [(_tidy(each), [], False) for each in texts if each]
    if text is None:
        raise BadInputError(
            f"the vocabulary {path} has no column `text` among {', '.join(table.columns[:8])}; "
            "its columns must be text, attributes, broad"
        )
    attributes, broad = table.column(["attributes"]), table.column(["broad"])
    empty = [""] * len(table.rows)
    rows = zip(
        table.lines,
        table.cells(text),
        table.cells(attributes) if attributes else empty,
        table.cells(broad) if broad else empty,
        strict=True,
    )
    return [_table_row(*row, path) for row in rows if row[1]]


def _table_row(line: int, text: str, attributes: str, broad: str, path: Path) -> Row:
    if broad.lower() not in TRUE | FALSE:
        raise BadInputError(f"{path}, line {line}: broad is {broad!r}; write 0 or 1")
    named = [name.strip() for name in attributes.split(";") if name.strip()]
    return _tidy(text), named, broad.lower() in TRUE
