"""Names that stand for several files: `train-{000..012}.tar`, `train-*.tar`, `{a,b}.tar`, joined by `::`."""

import glob
import re
from collections.abc import Iterator
from itertools import islice

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded
from csp.world.places.addresses import is_address

MOST = 100_000
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})(?:\.\.([0-9]{1,18}))?")


def files_of(pattern: str, what: str) -> list[str]:
    """The files that a pattern means, in order; `NotFoundError` where it means none."""
    names = [name for part in pattern.split("::") for name in islice(_expanded(part), MOST + 1)]
    if len(names) > MOST:
        raise BadInputError(f"'{pattern}' stands for more than {MOST:,} files.")
    found = [file for name in names for file in _matching(name)]
    if not found:
        raise NotFoundError(f"There is no {what} '{pattern}'.")
    return list(dict.fromkeys(found))


def _expanded(pattern: str) -> Iterator[str]:
    """All that braces stand for, the first of them changing last."""
    braces = _BRACES.search(pattern)
    if braces is None:
        yield pattern
        return
    before, after = pattern[: braces.start()], pattern[braces.end() :]
    for choice in _choices(braces[1]):
        yield from (before + choice + rest for rest in _expanded(after))


def _choices(inner: str) -> Iterator[str]:
    span = _RANGE.fullmatch(inner)
    if span is None:
        yield from inner.split(",")
        return
    first, last, step = int(span[1]), int(span[2]), int(span[3] or 1)
    digits = len(span[1]) if span[1].startswith("0") else 1
    for number in (
        range(first, last + 1, max(1, step)) if first <= last else range(first, last - 1, -max(1, step))
    ):
        yield f"{number:0{digits}}"


def _matching(name: str) -> list[str]:
    if is_address(name):
        from csp.world.places.remote import matching

        return matching(name)
    path = str(expanded(name))
    if not glob.has_magic(path):
        return [path]
    return sorted(glob.glob(path))  # noqa: PTH207 # an absolute pattern, too
