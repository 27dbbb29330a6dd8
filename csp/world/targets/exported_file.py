"""Reads a `.pt2` of `torch.export` without running anything that a stranger may have put into it.

torch's own reader unpickles whatever the archive marks as pickled and evaluates its texts of sizes as Python.
So the archive is looked through first: weights must be plain bytes, operations those of ATen, and sizes sums
and products of whole numbers and symbols. What else is in it is refused in one sentence.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from csp.errors import BadInputError
from csp.world.specs.registry import reason

MOST_JSON = 1 << 28
"""Bytes of a graph as text."""
OPERATIONS = re.compile(
    r"torch\.ops\.(aten|torchvision)\.\w+\.\w+|torch\.ops\.higher_order\.wrap_with_(set_grad_enabled|autocast)"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|neg|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc)|torch\.sym_(max|min|not|int|float|ite)"
)
REFUSED = re.compile(r"\.(from_file|save|load|_print)\b")
"""Operations of ATen that reach for files."""
_WORDS = re.compile(r"[^\W\d]\w*")
_SIZES = re.compile(r"[\w\s(),=+*/<>'-]*")
_SYMBOL = re.compile(r"[suz]\d{1,6}")
_NUMBERS = ("Symbol", "Integer", "Mul", "Add", "Max", "Min", "Mod", "FloorDiv", "CleanDiv", "PythonMod")
_RELATIONS = ("Eq", "Ne", "Lt", "Le", "Gt", "Ge", "Equality", "Unequality", "LessThan", "GreaterThan")
_FACTS = ("true", "false", "True", "False", "positive", "nonnegative", "integer", "evaluate")
_KNOWN = frozenset((*_NUMBERS, *_RELATIONS, "StrictLessThan", "StrictGreaterThan", *_FACTS))


def read_exported(path: Path, name: str) -> Any:
    """The exported program. Raises `BadInputError` for a file that is none, or holds more than a graph."""
    try:
        with zipfile.ZipFile(path) as archive:
            _look_through(archive, name)
        return torch.export.load(path)
    except BadInputError:
        raise
    except Exception as error:  # zipfile, JSON and torch raise classes of their own
        raise BadInputError(
            f"'{name}' is no file of torch.export that can be read ({reason(error)})."
        ) from error


def _look_through(archive: zipfile.ZipFile, name: str) -> None:
    """Raise `BadInputError` for anything but weights as bytes and graphs of known operations."""
    graphs = 0
    for entry in archive.infolist():
        place = entry.filename.partition("/")[2].lower()  # torch finds entries in any case
        if place.startswith("data/aotinductor/"):
            raise _refused(name, "holds compiled code")
        if place.startswith(("data/weights/", "data/constants/")) and place.endswith(".pt"):
            raise _refused(name, "was written by an older torch, whose files need unpickling")
        if place.startswith("data/sample_inputs/"):
            _check_plain(archive.read(entry), name)
        if place.endswith("_config.json"):
            _check_payloads(_json(archive, entry, name), name)
        if place.startswith("models/"):
            graphs += 1
            _check_graph(_json(archive, entry, name), name)
    if graphs != 1:
        raise _refused(name, f"holds {graphs} graphs, not one")


def _json(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Any:
    if entry.file_size > MOST_JSON:
        raise _refused(name, f"holds a text of {entry.file_size:,} bytes")
    return json.loads(archive.read(entry))


def _check_plain(content: bytes, name: str) -> None:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception as error:  # the unpickler raises classes of its own
        raise _refused(name, "holds sample inputs that need unpickling") from error


def _check_payloads(config: Any, name: str) -> None:
    for payload in config["config"].values():
        if payload["use_pickle"] or not re.match(r"(weight|tensor)_\d+$", payload["path_name"]):
            raise _refused(name, "holds objects that need unpickling")


def _check_graph(graph: Any, name: str) -> None:
    for key, value in _pairs(graph):
        if key in ("target", "as_operator") and isinstance(value, str):
            if not OPERATIONS.fullmatch(value) or REFUSED.search(value):
                raise _refused(name, f"uses the operation '{value[:80]}'")
        elif key == "expr_str" and not _is_size(value):
            raise _refused(name, "holds a size that can't be read")
        elif isinstance(value, str) and "default_factory" in value:  # of a tree: a name that is imported
            raise _refused(name, "takes or gives a mapping with code in it")
    for symbol in graph.get("range_constraints", {}):
        if not _is_size(symbol):
            raise _refused(name, "holds a size that can't be read")


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value below a value of JSON."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one.items()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _is_size(text: Any) -> bool:
    """Whether it is a sum or product of whole numbers and symbols, which sympy may read."""
    return (
        isinstance(text, str)
        and len(text) < 2000
        and _SIZES.fullmatch(text) is not None
        and "**" not in text
        and all(word in _KNOWN or _SYMBOL.fullmatch(word) for word in _WORDS.findall(text))
    )


def _refused(name: str, why: str) -> BadInputError:
    return BadInputError(f"'{name}' {why}: only a graph of ATen operations and its weights are read.")
