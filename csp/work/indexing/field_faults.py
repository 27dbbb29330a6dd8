"""What pydantic found wrong with a field, as a sentence for whoever wrote the file."""

import reprlib
from typing import Any

from pydantic_core import ErrorDetails

_WANTED = {
    "string_type": "write a text",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "tuple_type": "write a list, such as [first, second]",
    "list_type": "write a list, such as [first, second]",
    "dict_type": "write fields below it, such as name: value",
    "model_type": "write fields below it, such as name: value",
    "path_type": "write the path of a file",
    "string_too_short": "it is empty",
    "too_short": "name at least one",
}


def shown(given: Any) -> str:
    """What was given, as it would be written; of a long one the beginning and the end."""
    return reprlib.repr(given)


def wish(fault: ErrorDetails) -> str:
    """What to write instead, without a programmer's words."""
    kind, bounds = fault["type"], fault.get("ctx", {})
    if kind in _WANTED:
        return _WANTED[kind]
    if kind in ("greater_than_equal", "greater_than"):
        return f"write {bounds.get('ge', bounds.get('gt'))} or more"
    if kind in ("less_than_equal", "less_than"):
        return f"write {bounds.get('le', bounds.get('lt'))} or less"
    if kind in ("literal_error", "enum"):
        return f"write {bounds.get('expected')}"
    if kind == "string_pattern_mismatch":
        return "write a text with {} where the label goes"
    if kind == "missing":
        return "it is missing"
    return (
        "it is no field here"
        if kind == "extra_forbidden"
        else str(fault["msg"]).removeprefix("Value error, ")
    )
