"""Importing reviews from files and exporting them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from csp.errors import BadInputError, BadRunError
from csp.keeping.canonical_json import canonical_json
from csp.keeping.faults import told
from csp.keeping.library.find import list_runs, named_run
from csp.keeping.reviews import chain
from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.exchange import read_rows, write_rows
from csp.keeping.reviews.normalise import tidy
from csp.keeping.reviews.rows import LINE, from_row, to_row
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.manifest import read_manifest
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import ReviewDesk

_PLACE_IN_CHAIN = {"sequence", "previous_hash", "hash"}
_CHAINED = {*_PLACE_IN_CHAIN, "at", "token", "layer"}
_CONTENT = "content-"
"""How the token of a row begins that came without one."""

_SAID = (
    *("run_fingerprint", "layer", "neuron", "verdict", "label"),
    *("reviewer", "reason", "tags", "undoes"),
)


@dataclass(frozen=True)
class Imported:
    """What came of an import; `refused` holds the number of each refused row (the first is 1) and why."""

    added: int
    known: int
    """Rows that the record held already."""
    refused: tuple[tuple[int, str], ...]
    restored: bool
    """Whether the record was empty and took over the whole chain, hashes included."""


def export_reviews(reviews: Reviews, path: Path, run: Run | None = None, named: str | None = None) -> int:
    """Write the events of a run, or all, to a CSV, JSON or Parquet file; gives their number."""
    events = reviews.events(None if run is None else run.fingerprint)
    write_rows(path, map(to_row, events), named)
    return len(events)


def import_reviews(reviews: Reviews, path: Path, run: Run | None = None) -> Imported:
    """Add the rows of a file that are not recorded yet, all in one transaction; `run`: refuse other runs.

    A row is known by its token or, without one, by what it says. Into an empty record, an export with its
    whole chain is taken over as it is; otherwise imported events count as unverified and note their origin.
    Raises BadInputError for a file that can't be read at all, UnavailableError for the database.
    """
    finder = _Finder(reviews, run)
    rows = read_rows(path)
    entries: dict[int, Entry] = {}
    refused: list[tuple[int, str]] = []
    for number, row in enumerate(rows, start=1):
        try:
            entries[number] = _entry(from_row(row), finder, path.name)
        except Exception as error:  # noqa: BLE001 # one row must not keep the others out
            refused.append((number, told(error)))
    if not refused and _restore(reviews, rows):
        return Imported(len(rows), 0, (), True)
    merged = _by_content(reviews, entries)
    answers = reviews.record_all(list(merged.values()))
    for number, answer in zip(merged, answers, strict=True):
        if isinstance(answer, BadInputError):
            refused.append((number, str(answer)))
    recorded = [answer for answer in answers if not isinstance(answer, BadInputError)]
    added = sum(not answer.repeated for answer in recorded)
    told_of = tuple((number, reason + _place(rows[number - 1])) for number, reason in sorted(refused))
    return Imported(added, len(recorded) - added, told_of, False)


def _place(row: Mapping[str, Any]) -> str:
    """Where the row ends in its file; a record with line breaks in its cells takes several lines."""
    return f" (line {row[LINE]} of the file)" if LINE in row else ""


class _Finder:
    """Finds the run that a row is about, once for each name."""

    def __init__(self, reviews: Reviews, only: Run | None) -> None:
        self._reviews = reviews
        self._only = only
        self._found: dict[tuple[str | None, str | None], ReviewDesk] = {}

    def find(self, name: str | None, fingerprint: str | None) -> ReviewDesk:
        """The run, or a CspError that says why the row can't be about one of ours."""
        if (name, fingerprint) not in self._found:
            run = self._only or Run.open(_folder(name, fingerprint))
            if fingerprint is not None and fingerprint != run.fingerprint:
                raise BadInputError(
                    f"it is for another run: {run.name} has the fingerprint {run.fingerprint[:12]}, "
                    f"not {fingerprint[:12]}"
                )
            if fingerprint is None and name not in (None, run.name):
                raise BadInputError(f"it is for the run {name!r}, not {run.name}")
            self._found[name, fingerprint] = ReviewDesk(run, self._reviews)
        return self._found[name, fingerprint]


def _folder(name: str | None, fingerprint: str | None) -> Path:
    """By name; a run that was renamed is found by its fingerprint."""
    runs = list_runs()
    if fingerprint is not None and name not in [path.name for path in runs]:
        for path in runs:
            if _fingerprint(path) == fingerprint:
                return path
    if name is None:
        raise BadInputError("it names no run: fill in the column run, or say which run the file is for")
    return named_run(name)


def _fingerprint(path: Path) -> str | None:
    try:
        return read_manifest(path).fingerprint
    except BadRunError:
        return None


def _entry(given: dict[str, Any], finder: _Finder, source: str) -> Entry:
    """The entry that a row stands for; what it leaves out comes from its run."""
    desk = finder.find(given.get("run"), given.get("run_fingerprint"))
    layers = desk.run.layers
    if "layer" not in given and len(layers) > 1:
        raise BadInputError(f"it names no layer, and the run has {', '.join(layers)}")
    layer = given.get("layer", layers[0])
    desk.check(layer, given["neuron"])
    machine = given.get("machine_label") or desk.machine_label(layer, given["neuron"])
    origin = {
        "file": source.encode(errors="replace").decode(),
        "verified": given.get("reviewer_verified", False),
        "sequence": given.get("sequence"),
        "hash": given.get("hash"),
        "earlier": given.get("imported"),
    }
    filled = {
        "run_fingerprint": desk.run.fingerprint,
        "run": given.get("run", desk.run.name),
        "layer": layer,
        "machine_label": machine,
        "label": given.get("label") or (machine if given["verdict"] is Action.CONFIRM else None),
        "reviewer_verified": False,
        "imported": canonical_json({name: value for name, value in origin.items() if value is not None}),
    }
    kept = {name: value for name, value in given.items() if name not in _PLACE_IN_CHAIN}
    entry, _ = tidy(Entry(**(kept | filled)))
    return entry if "token" in given else replace(entry, token=_CONTENT + _content(entry, entry.at))


def _restore(reviews: Reviews, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Take over a complete chain into an empty record."""
    fields = [from_row(row) for row in rows]
    if not all(given.keys() >= _CHAINED for given in fields):
        return False
    events = [Event(**given) for given in fields]
    return chain.verify(event.row() for event in events).ok and reviews.restore(events)


def _by_content(reviews: Reviews, entries: Mapping[int, Entry]) -> dict[int, Entry]:
    """Entries without a token of their own take that of an event that says the same, if there is one."""
    recorded: dict[str, str] = {}
    for fingerprint in {entry.run_fingerprint for entry in entries.values()}:
        for event in reviews.events(fingerprint):
            for at in (event.at, None):  # a row may leave out the time
                recorded.setdefault(_content(event, at), event.token)
    return {
        number: replace(entry, token=recorded.get(_content(entry, entry.at), entry.token))
        if entry.token.startswith(_CONTENT)
        else entry
        for number, entry in entries.items()
    }


def _content(entry: Entry, at: datetime | None) -> str:
    """What a row says, as one hash: the same row imported twice is one event."""
    row = entry.row()
    text = canonical_json([*(row[name] for name in _SAID), None if at is None else at.isoformat()])
    return hashlib.sha256(text.encode()).hexdigest()
