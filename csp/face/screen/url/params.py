"""Which view an address asks for. The address is the state: nothing else decides what a page shows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches

from csp.errors import CspError

Params = Mapping[str, str]
LONGEST = 40
"""Of a value that there is not, so much is shown."""
MOST_UNREAD = 4
"""So many parameters that a page has nothing for are named."""
_READ: ContextVar[set[str] | None] = ContextVar("read", default=None)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


@dataclass(frozen=True)
class Way:
    """A way onward on the same page: what it says, and the address parameters."""

    text: str
    params: dict[str, str]


class WrongAddressError(CspError):
    """An address names something that does not exist; `ways` lead to what does."""

    def __init__(self, message: str, ways: Sequence[Way]) -> None:
        super().__init__(message)
        self.ways = tuple(ways)


def reading() -> set[str]:
    """The names of the parameters that the functions here read from now on, as they come."""
    found: set[str] = set()
    _READ.set(found)
    return found


def note_read(*names: str) -> None:
    """The page knows these parameters, whether or not what it shows goes by them now."""
    if (found := _READ.get()) is not None:
        found.update(names)


def unread(params: Params, read: Iterable[str]) -> str:
    """What an address asks for that the page has nothing for, in a sentence; empty where there is no such."""
    left = [name for name in params if name not in set(read)]
    if not left:
        return ""
    named = ", ".join(f"{_cut(name)} {_shown(params[name])}" for name in left[:MOST_UNREAD])
    more = ", ..." if len(left) > MOST_UNREAD else ""
    return f"The address also asks for {named}{more}. Nothing here goes by that: it is left out."


def text(params: Params, name: str, default: str = "") -> str:
    """The parameter as any text."""
    note_read(name)
    return params.get(name, default)


def nearest(wanted: str, names: Sequence[str]) -> list[str]:
    """The names, most similar to `wanted` first."""
    close = get_close_matches(wanted, names, n=len(names), cutoff=0.0) if names else []
    return close + [name for name in names if name not in close]


def whole_number(params: Params, name: str, low: int, high: int, default: int) -> int:
    """The parameter as an integer in low..high; WrongAddressError names the range and the nearest value."""
    return int(_number(params, name, low, high, default, integer=True))


def fraction(params: Params, name: str, default: float) -> float:
    """The parameter as a number in 0..1; raises WrongAddressError as `whole_number` does."""
    return _number(params, name, 0, 1, default, integer=False)


def one_of(params: Params, name: str, options: Sequence[str], default: str) -> str:
    """The parameter as one of the options; raises WrongAddressError naming them, the most similar first."""
    wanted = text(params, name, default)
    if wanted in options:
        return wanted
    named = [option for option in options if option]  # an empty one is what a page opens with
    ways = [Way(option, {**params, name: option}) for option in nearest(wanted, named)[:6]]
    known = ", ".join(named[:12]) + (f" and {len(named) - 12} more" if len(named) > 12 else "")
    may = f"Here {name} is one of: {known}." if named else f"Here there is nothing to choose as {name}."
    raise WrongAddressError(
        f"The address asks for {name} {_shown(wanted)}, which there is not. {may}",
        ways or [_without(params, name)],
    )


def is_on(params: Params, name: str) -> bool:
    """The parameter as `true` or `false`; off without it; raises WrongAddressError as `one_of` does."""
    return one_of(params, name, ("true", "false"), "false") == "true"


def some_of(params: Params, name: str, options: Sequence[str]) -> list[str]:
    """The parameter as some of the options, commas between; raises WrongAddressError as `one_of` does."""
    wanted = [one for one in text(params, name).split(",") if one]
    for one in wanted:
        one_of({**params, name: one}, name, options, one)
    return list(dict.fromkeys(wanted))


def whole_numbers(params: Params, name: str, high: int) -> frozenset[int] | None:
    """The parameter as whole numbers in 0..high, written `3.17-20.40`; None when the address has none."""
    wanted = text(params, name)
    if not wanted:
        return None
    found: set[int] = set()
    for part in wanted.split("."):
        match = _RANGE.fullmatch(part)
        low, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not low <= last <= high:
            raise WrongAddressError(
                f"The address asks for {name} {_shown(part)}. Here it is whole numbers from 0 to {high}, "
                "such as 3.17-20.",
                [_without(params, name)],
            )
        found.update(range(low, last + 1))
    return frozenset(found)


def _shown(value: str) -> str:
    return repr(_cut(value))


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST]} …"


def _without(params: Params, name: str) -> Way:
    return Way(f"Without {name}", {key: value for key, value in params.items() if key != name})


def _number(params: Params, name: str, low: int, high: int, default: float, *, integer: bool) -> float:
    note_read(name)
    wanted = params.get(name)
    if wanted is None:
        return default
    try:
        value = int(wanted) if integer else float(wanted)
    except ValueError:
        value = float("nan")
    if low <= value <= high:
        return value
    near = max(low, min(high, default if value != value else value))
    kind = "a whole number" if integer else "a number"
    raise WrongAddressError(
        f"The address asks for {name} {_shown(wanted)}. Here {name} is {kind} from {low} to {high}.",
        [Way(f"{name} {near:g}", {**params, name: f"{near:g}"})],
    )
