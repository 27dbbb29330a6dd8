"""What a script may hand in by mistake, said in a sentence instead of failing somewhere below."""

from operator import index
from pathlib import Path

from csp.errors import BadInputError


def whole_number(value: object, what: str) -> int:
    """The value as an int, NumPy's integers too; BadInputError names `what` for anything else."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise BadInputError(f"{what} is {value!r}; give a whole number") from error


def at_least_one(top: object, what: str) -> int:
    """How many of `what` are asked for, as an int; BadInputError for less than one."""
    count = whole_number(top, "top")
    if count < 1:
        raise BadInputError(f"top={count} {what} can't be given; ask for 1 or more")
    return count


def words(value: object, what: str) -> str:
    """The value if it is a text; BadInputError names `what` for anything else."""
    if not isinstance(value, str):
        raise BadInputError(f"{what} is {value!r}; give a text")
    return value


def place(value: object, what: str) -> str:
    """A name or path as text; BadInputError names `what` for anything else."""
    if not isinstance(value, str | Path):
        raise BadInputError(f"{what} is {value!r}; give a name or a path")
    return str(value)
