"""What a label speaks of: criteria of the ABCDE rule and of the 7-point checklist, and artefacts.

The words are in `assets/vocabularies/checklist.csv`; a `checklist.csv` in `CSP_HOME` takes its place. A label
speaks of a tag when one of the tag's words stands in it as whole words, in any case; "no hairs" doesn't speak
of hairs.
"""

import re
from functools import cache
from pathlib import Path

from csp.errors import BadInputError
from csp.keeping.bundle import ASSETS
from csp.keeping.home import home
from csp.keeping.reviews.vocabulary import TAGS
from csp.work.labels.absence import present
from csp.world.tables import read_table

SHIPPED = ASSETS / "vocabularies" / "checklist.csv"
OWN = "checklist.csv"
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
    """The tags of what a label, or one of several, says is there."""
    parts = present(label)
    return tuple(tag for tag, words in known.items() if any(words.search(part) for part in parts))


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
    table = read_table(path, "checklist")
    tag, words = table.column(["tag"]), table.column(["words"])
    if tag is None or words is None:
        raise BadInputError(f"{path} must have the columns tag and words")
    rows = zip(table.cells(tag), table.cells(words), table.lines, strict=True)
    return {name: words_pattern(_checked(name, given, f"{path}, line {line}")) for name, given, line in rows}


def _checked(tag: str, words: str, where: str) -> str:
    if tag not in TAGS:
        raise BadInputError(f"{where}: {tag!r} is no tag; take one of {', '.join(list(TAGS)[:3])}, ...")
    if not words.replace(";", "").strip():
        raise BadInputError(f"{where}: {tag} has no words; write some with ; between them")
    return words
