"""Tidies what people type: stored as typed, but for characters that can't be shown or stored."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from csp.errors import BadInputError
from csp.keeping.reviews.event import Entry

LABEL_LIMIT, REASON_LIMIT, NAME_LIMIT, TOKEN_LIMIT = 200, 2_000, 200, 100
MACHINE_LABEL_LIMIT = 2_000
"""A machine's label is kept, shortened where need be: nobody can write it anew."""

BETWEEN = "; "
"""Stands between the labels of a person who gives several."""

_UNSTORABLE = {"Cc", "Cs"}  # control characters, halves of surrogate pairs


def tidy(entry: Entry) -> tuple[Entry, tuple[str, ...]]:
    """The entry with tidy texts, and a sentence on each that lost characters; BadInputError when too long."""
    notes: list[str] = []
    machine = _line(entry.machine_label or "", "machine's label", None, notes)
    if len(machine) > MACHINE_LABEL_LIMIT:
        notes.append(f"the machine's label has {len(machine):,} characters and was shortened")
        machine = f"{machine[: MACHINE_LABEL_LIMIT - 1]}…"
    own = len(entry.label or "") > LABEL_LIMIT and same_label(entry.label) == same_label(entry.machine_label)
    tidied = replace(
        entry,
        label=(machine if own else _line(entry.label or "", "label", LABEL_LIMIT, notes)) or None,
        machine_label=machine or None,
        reviewer=_line(entry.reviewer, "reviewer's name", NAME_LIMIT, notes),
        reason=_tidied(entry.reason, "reason", REASON_LIMIT, notes),
        token=_line(entry.token, "token", TOKEN_LIMIT, notes),
    )
    if not tidied.run_fingerprint:
        raise BadInputError("it names no run; say which run the neuron belongs to")
    if not tidied.reviewer:
        raise BadInputError("there is no reviewer's name; say who decides")
    if not tidied.token:
        raise BadInputError("the token is empty; give each verdict one of its own")
    return tidied, tuple(notes)


def same_label(label: str | None) -> str:
    """What of a label counts when labels are compared: neither case, spacing nor the order of several."""
    folded = " ".join(unicodedata.normalize("NFC", label or "").casefold().split())
    return BETWEEN.join(sorted(_parts(folded))) if ";" in folded else folded


def label_parts(label: str | None) -> tuple[str, ...]:
    """The labels that a person gave, each once: several are written with ; between them."""
    return tuple({same_label(part): part for part in reversed(_parts(label or ""))}.values())[::-1]


def together(labels: Sequence[str]) -> str:
    """Several labels as one text, as the record keeps them and `label_parts` reads them.

    A label that stands alone stays as it is; a ; within one of several is written as \\;. Behind one that
    ends with \\ stands a blank, for \\; would not part it from the next.
    """
    if len(labels) == 1:
        return labels[0]
    return BETWEEN.join(f"{one} " if one.endswith("\\") else one for one in map(as_one, labels)).rstrip()


def as_one(label: str) -> str:
    """A text that is one label, whatever it holds, as `label_parts` reads it."""
    return label.replace(";", r"\;")


def _parts(label: str) -> list[str]:
    """A text of nothing but ; names no two labels: it stays one, so that it is not taken for none."""
    parts = (part.replace(r"\;", ";").strip() for part in re.split(r"(?<!\\);", label))
    return [part for part in parts if part] or [alone for alone in (label.strip(),) if alone]


def _line(text: str, what: str, limit: int | None, notes: list[str]) -> str:
    return _tidied(" ".join(text.splitlines()), what, limit, notes)


def _tidied(text: str, what: str, limit: int | None, notes: list[str]) -> str:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one for one in lines if one in "\n\t" or unicodedata.category(one) not in _UNSTORABLE)
    if lost := len(lines) - len(kept):
        notes.append(f"{lost} control characters, such as NUL, were left out of the {what}")
    kept = kept.strip()
    if limit is not None and len(kept) > limit:
        raise BadInputError(
            f"the {what} has {len(kept):,} characters; at most {limit:,} are kept: shorten it"
        )
    return kept
