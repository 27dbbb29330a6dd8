"""An event as one row of a table that people exchange, and back."""

import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from csp.errors import BadInputError
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.vocabulary import Action, Role
from csp.world.documents import Refused

REQUIRED = ("neuron", "verdict", "reviewer")
LINE, SURPLUS = "line of the file", "cells beyond the head"
"""What a row of a text table knows of itself, beside its columns."""
NO_ROW = "no row"
"""Stands before what was found in the place of a row."""
LONGEST_TEXT = 10_000
_TIDIED = ("label", "machine_label", "label_before", "reviewer", "reason")
"""Texts of people and machines, which lose what can't be kept (`tidy`); others must be as they are."""

_FIRST = ("run", "layer", "neuron", "verdict", "label", "reviewer", "reason")
COLUMNS = (*_FIRST, *(one.name for one in fields(Event) if one.name not in _FIRST))
"""The columns of an export, those that a person would fill in first."""


def to_row(event: Event) -> dict[str, Any]:
    """All that the record keeps of an event, tags as a list."""
    row = event.row() | {"tags": list(event.tags)}
    return {name: row[name] for name in COLUMNS}


def from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a row fills in, of their types; other columns are left out.

    Raises
    ------
    BadInputError
        A required field is empty, or one can't be read; the sentence names the field and its value.
    """
    if isinstance(row.get(NO_ROW), Refused):
        raise BadInputError(f"it has {row[NO_ROW]}")
    if NO_ROW in row:
        raise BadInputError(f"it is no object but {_short(row[NO_ROW])}")
    if row.get(SURPLUS, 0) > 0:
        raise BadInputError(
            f"it has {row[SURPLUS]} cells more than the head has names: put texts with commas between quotes"
        )
    filled = {name: row[name] for name in COLUMNS if not _empty(row.get(name))}
    if missing := [name for name in REQUIRED if name not in filled]:
        raise BadInputError(f"{missing[0]} is empty")
    return {
        name: _READ[name](value) if name in _READ else _text(name, value) for name, value in filled.items()
    }


def _empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value != value  # NaN differs from itself


def _text(name: str, value: Any) -> str:
    if isinstance(value, list | dict | bytes):
        raise BadInputError(f"{name} is no text but {_short(value)}")
    text = str(value)
    if name not in _TIDIED and (len(text) > LONGEST_TEXT or any(map(_unstorable, text))):
        raise BadInputError(f"{name} {_short(text)} is too long, or has characters that can't be kept")
    return text


def _unstorable(character: str) -> bool:
    return character == "\0" or "\ud800" <= character <= "\udfff"


def _short(value: Any) -> str:
    return reprlib.repr(value)


def _whole(value: Any) -> int:
    try:
        number = math.nan if isinstance(value, bool) or "_" in str(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not number.is_integer() or not 0 <= number < 2**31:
        raise BadInputError(f"{_short(value)} is no whole number from 0 on")
    return int(number)


def _real(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadInputError(f"gamma {_short(value)} is no number")
    return number


def _truth(value: Any) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if str(value).strip().lower() not in known:
        raise BadInputError(f"{_short(value)} is neither true nor false")
    return known[str(value).strip().lower()]


def _tags(value: Any) -> tuple[str, ...]:
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise BadInputError(f"tags {_short(value)} are no texts with ; between them")
    return tuple(_text("the tag", part).strip() for part in parts)


def _time(value: Any) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(
            f"the time {_short(value)} can't be read; write 2030-01-31T12:00:00+00:00"
        ) from None


def _act(value: Any) -> Action:
    try:
        return Action(str(value).strip().lower())
    except ValueError:
        raise BadInputError(f"there is no verdict {_short(value)}; there are {', '.join(Action)}") from None


def _role(value: Any) -> Role:
    try:
        return Role(str(value).strip().lower())
    except ValueError:
        raise BadInputError(f"there is no role {_short(value)}; there are {', '.join(Role)}") from None


_READ: dict[str, Callable[[Any], Any]] = {
    "neuron": _whole,
    "examples": _whole,
    "sequence": _whole,
    "gamma": _real,
    "reviewer_verified": _truth,
    "blind": _truth,
    "tags": _tags,
    "at": _time,
    "verdict": _act,
    "role": _role,
}
"""How a field is read that is not just text."""
