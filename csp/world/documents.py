"""The one reader of documents that people write: YAML and JSON, read as plain values.

Neither runs anything. References (`*name`) are refused, for a few lines of them stand for billions of values.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from csp.errors import BadInputError, NotFoundError
from csp.files import read_regular

MOST_BYTES = 10_000_000
DEEPEST = 50
LARGEST_WHOLE = 2**53
"""A whole number beyond is none that a setting could mean, and no float holds it."""
MOST_DIGITS = 400


NESTED = f"values nested more than {DEEPEST} deep"
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
"""Brackets of JSON, and its texts as a whole, for brackets in them are none."""


class Refused(str):
    """What an object of a list has that keeps it from being used."""


class _Loader(yaml.SafeLoader):
    """Reads plain values; no references."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """See `yaml.SafeLoader`."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            problem = f"*{event.anchor} refers to what stands elsewhere: write it out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """See `yaml.SafeLoader`; no name twice, for only one of the two would count."""
        _once([key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
        return super().construct_mapping(node, deep=deep)


def read_settings(path: Path, what: str) -> dict[str, Any]:
    """The fields of a file: JSON where its name ends so, else YAML.

    Raises `NotFoundError`, or `BadInputError` that says what can't be read or used, and where.
    """
    name = f"the {what} {path}"
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(f"there is no {what} {path}") from None
    except OSError as error:
        raise BadInputError(f"{name} can't be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{name} is no text in UTF-8: save it as UTF-8") from None
    values = parse_json(text, name) if path.suffix.lower() == ".json" else parse_yaml(text, name)
    if not isinstance(values, dict):
        raise BadInputError(f"{name} must hold fields, such as `name: value`")
    _check_values(values, name)
    return values


def parse_json(text: str, what: str) -> Any:
    """The values of a JSON text; `what` begins the sentence of `BadInputError`."""
    values = _parsed(_json, text, what, "JSON")
    _check_parts(values, what)
    return values


def parse_json_rows(text: str, what: str) -> list[Any]:
    """The values of a JSON list; in the place of one that can't be used as it is, what it has (`Refused`)."""
    values = _parsed(_json_rows, _without_deep(text), what, "JSON")
    if not isinstance(values, list):
        raise BadInputError(f"{what} is not a list of objects")
    return [Refused(NESTED) if value == NESTED else value for value in values]


def _json(text: str) -> Any:
    return json.loads(text, parse_int=_whole, object_pairs_hook=_object)


def _json_rows(text: str) -> Any:
    return json.loads(text, parse_int=_whole, object_pairs_hook=_object_or_why_not)


def _whole(text: str) -> float:
    """A number of more digits than any float has is none that could be meant; Python refuses thousands."""
    return int(text) if len(text) <= MOST_DIGITS else math.inf


def _object(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    _once([name for name, _ in fields])
    return dict(fields)


def _object_or_why_not(fields: list[tuple[str, Any]]) -> "dict[str, Any] | Refused":
    try:
        return _object(fields)
    except ValueError as error:
        return Refused(error)


def _once(names: list[str]) -> None:
    """Raise ValueError for a name that stands twice."""
    if twice := next((name for name, times in Counter(names).items() if times > 1), None):
        raise ValueError(f"{str(twice)[:60]!r} twice: keep one of the two")


def _without_deep(text: str) -> str:
    """A JSON text with `NESTED` for whatever in its outermost list is nested too deeply to be read."""
    kept, end, start, depth, deepest = [], 0, 0, 0, 0
    for part in _BRACKETS.finditer(text):
        if part[0] in "[{":
            depth += 1
            start, deepest = (part.start(), depth) if depth == 2 else (start, max(depth, deepest))
        elif part[0] in "]}":
            depth -= 1
            if depth == 1 and deepest > DEEPEST:
                kept += [text[end:start], json.dumps(NESTED)]
                end = part.end()
    return "".join([*kept, text[end:]])


def parse_yaml(text: str, what: str) -> Any:
    """The values of a YAML text; `what` begins the sentence of `BadInputError`."""
    values = _parsed(lambda given: yaml.load(given, _Loader), text, what, "YAML")  # noqa: S506 # a SafeLoader
    _check_parts(values, what)
    return values


def _parsed(reader: Callable[[str], Any], text: str, what: str, language: str) -> Any:
    try:
        return reader(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadInputError(f"{what} can't be read as {language}: {error.problem}{where}") from None
    except json.JSONDecodeError as error:
        raise BadInputError(f"{what} can't be read as JSON: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise BadInputError(f"{what} can't be read: {_TOO_DEEP}") from None
    except Exception as error:  # noqa: BLE001 # YAML's makers of dates, numbers and the like raise anything
        reason = (
            " ".join(str(error).split())[:200]
            if isinstance(error, ValueError)
            else "a value is none of its kind"
        )
        raise BadInputError(f"{what} can't be read as {language}: {reason}") from None


def _check_parts(values: Any, what: str) -> None:
    """Raise BadInputError for values nested too deeply, and for texts that no file or database can hold."""
    level, depth = [values], 0
    while level:
        if odd := [one for one in level if isinstance(one, str) and not _storable(one)]:
            raise BadInputError(
                f"{what} has a text with a NUL character or half a character: {odd[0][:60]!r}"
            )
        if depth > DEEPEST:
            raise BadInputError(f"{what} can't be read: {_TOO_DEEP}")
        level, depth = [inner for each in level for inner in _inside(each)], depth + 1


def _check_values(values: dict[str, Any], what: str) -> None:
    """Raise BadInputError for what no setting can mean."""
    waiting: list[Any] = [values]
    while waiting:
        value = waiting.pop()
        waiting += _inside(value)
        if isinstance(value, dict) and (odd := [key for key in value if not isinstance(key, str)]):
            raise BadInputError(f"{what} has a field whose name is no text: {str(odd[0])[:60]!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise BadInputError(f"{what} has a number that is too large, or none")
        if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
            raise BadInputError(f"{what} has a number that is too large: one of {value.bit_length()} bits")


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, list | tuple | set) else []


_TOO_DEEP = f"it is nested more than {DEEPEST} deep"
