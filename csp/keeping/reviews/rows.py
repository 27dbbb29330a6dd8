"""An event as one row of a table that people exchange, and back."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from csp.errors import BadInputError
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.vocabulary import Action, Role

REQUIRED = ("neuron", "verdict", "reviewer")

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
    filled = {name: row[name] for name in COLUMNS if not _empty(row.get(name))}
    if missing := [name for name in REQUIRED if name not in filled]:
        raise BadInputError(f"{missing[0]} is empty")
    return {name: _READ.get(name, str)(value) for name, value in filled.items()}


def _empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value != value  # NaN differs from itself


def _whole(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not number.is_integer() or not 0 <= number < 2**31:
        raise BadInputError(f"{value!r} is no whole number from 0 on")
    return int(number)


def _real(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadInputError(f"gamma {value!r} is no number") from None


def _truth(value: Any) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if str(value).strip().lower() not in known:
        raise BadInputError(f"{value!r} is neither true nor false")
    return known[str(value).strip().lower()]


def _tags(value: Any) -> tuple[str, ...]:
    parts = value.split(";") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in parts)


def _time(value: Any) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise BadInputError(f"the time {value!r} can't be read; write 2030-01-31T12:00:00+00:00") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _act(value: Any) -> Action:
    try:
        return Action(str(value).strip().lower())
    except ValueError:
        raise BadInputError(f"there is no verdict {value!r}; there are {', '.join(Action)}") from None


def _role(value: Any) -> Role:
    try:
        return Role(str(value).strip().lower())
    except ValueError:
        raise BadInputError(f"there is no role {value!r}; there are {', '.join(Role)}") from None


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
