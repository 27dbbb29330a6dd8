"""What a label speaks of: criteria of the ABCDE rule and of the 7-point checklist, and artefacts.

The words are in `assets/vocabularies/checklist.csv`; a `checklist.csv` in `CSP_HOME` takes its place. A label
speaks of a tag when one of the tag's words stands in it as whole words, in any case.
"""

import csv
import re
from functools import cache
from pathlib import Path

from csp.errors import BadInputError
from csp.keeping.bundle import ASSETS
from csp.keeping.home import home
from csp.keeping.reviews.vocabulary import TAGS

SHIPPED = ASSETS / "vocabularies" / "checklist.csv"
OWN = "checklist.csv"
COLUMNS = ["tag", "words"]
ARTEFACT = "artefact"
"""How the tags of artefacts begin; see `TAGS`."""

Criteria = dict[str, re.Pattern[str]]
"""By tag: what finds its words in a label."""


def criteria() -> Criteria:
    """The criteria in the order of the file; raises BadInputError for a file that can't be used."""
    own = home() / OWN
    path = own if own.is_file() else SHIPPED
    return _read(path, path.stat().st_mtime_ns)


def criteria_of(label: str | None, known: Criteria) -> tuple[str, ...]:
    """The tags that a label speaks of."""
    return () if label is None else tuple(tag for tag, words in known.items() if words.search(label))


def artefacts_of(label: str | None, known: Criteria) -> tuple[str, ...]:
    """The tags of the artefacts that a label names: what is in the picture without being the lesion."""
    return tuple(tag for tag in criteria_of(label, known) if tag.startswith(ARTEFACT))


def words_pattern(words: str) -> re.Pattern[str]:
    """What finds any of the words, written with `;` between them, as whole words in any case."""
    each = [re.escape(word.strip()) for word in words.split(";") if word.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE)


@cache
def _read(path: Path, changed: int) -> Criteria:
    """`changed` makes an edited file be read again."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is None or [name.strip() for name in rows.fieldnames] != COLUMNS:
            raise BadInputError(f"{path} must have the columns tag and words, in this order")
        return {row["tag"]: words_pattern(_checked(row, path, rows.line_num)) for row in rows}


def _checked(row: dict[str, str], path: Path, line: int) -> str:
    if row["tag"] not in TAGS:
        raise BadInputError(
            f"{path}, line {line}: {row['tag']!r} is no tag; take one of {', '.join(list(TAGS)[:3])}, ..."
        )
    if not (row["words"] or "").replace(";", "").strip():
        raise BadInputError(f"{path}, line {line}: {row['tag']} has no words; write some with ; between them")
    return row["words"]
