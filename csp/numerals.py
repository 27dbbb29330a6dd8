"""Numbers that foreign text writes: in a name, an address, a list of classes."""

import re

_WHOLE = re.compile(r"[0-9]{1,9}")


def whole(text: str) -> int | None:
    """The whole number from 0 on that a text writes in at most nine digits, else None.

    `str.isdecimal` and `int` do not do: `int` refuses thousands of digits, and reads those of any script.
    """
    return int(text) if _WHOLE.fullmatch(text) else None
