"""Specs such as `torchvision:resnet18`: a scheme, which names an adapter, and what the adapter opens.

Also what the adapters share to say what went wrong.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from csp.errors import BadInputError, NotFoundError

# `python:MODULE:NAME` hands NAME to a module of the user's own, found on the Python path.
OWN = "python"


def find_adapter(spec: str, registry: Mapping[str, str], what: str) -> tuple[str, str]:
    """Split a spec into its adapter's module and the name to open. Raises `BadInputError`."""
    scheme, _, name = spec.partition(":")
    known = ", ".join(f"{scheme}:" for scheme in (*registry, OWN))
    if scheme not in registry and scheme != OWN:
        hint = nearest(scheme, registry)
        raise BadInputError(f"The {what} '{spec}' starts with none of {known}{hint}.")
    if scheme == OWN:
        module, _, name = name.partition(":")
        return module, name
    if not name:
        raise BadInputError(f"The {what} '{spec}' names nothing after '{scheme}:'.")
    return registry[scheme], name


def adapter_function(module: str, function: str) -> Callable[..., Any]:
    """Import an adapter and return its opening function. Raises `NotFoundError`, `BadInputError`."""
    try:
        adapter = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A missing module inside the adapter is a fault of its own, and must be seen as such.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise NotFoundError(f"There is no Python module '{module}' on the Python path.") from None
    opener = getattr(adapter, function, None)
    if not callable(opener):
        raise BadInputError(f"The Python module '{module}' has no function '{function}'.")
    return opener  # type: ignore[no-any-return]


def reason(error: BaseException) -> str:
    """Return the first sentence of a library's message, on one line, without its full stop."""
    text = " ".join(str(error).split()).split(". ")[0].rstrip(".")
    return text[:300] or type(error).__name__


def nearest(word: str, known: Iterable[str], count: int = 3) -> str:
    """Say which known names come nearest, as a hint to append: ` (nearest: a, b)`, or nothing."""
    matches = get_close_matches(word, list(known), n=count, cutoff=0.4)
    return f" (nearest: {', '.join(matches)})" if matches else ""
