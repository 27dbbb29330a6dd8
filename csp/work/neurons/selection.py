"""Neurons chosen by a text, as commands and forms take it: `all`, `17`, `0:200` or `3,17`."""

import re

from csp.errors import BadInputError, NotFoundError

_PART = re.compile(r"(\d+)|(\d*):(\d*)")


def choose_neurons(text: str, layer: str, count: int) -> list[int]:
    """`all`, `17`, `0:200` (without the last) or a list of these such as `3,17,40:60`, in the order given.

    Raises BadInputError for another form, NotFoundError for neurons that the layer does not have.
    """
    if text == "all":
        return list(range(count))
    chosen: list[int] = []
    for part in text.split(","):
        chosen.extend(_part(part.strip(), layer, count))
    return list(dict.fromkeys(chosen))


def _part(part: str, layer: str, count: int) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise BadInputError(f"the neurons {part!r} can't be read; write all, 17, 0:200 or 3,17")
    single, first, last = match.groups()
    start = int(single or first or 0)
    stop = start + 1 if single else min(int(last), count) if last else count
    if not start < stop <= count:
        raise NotFoundError(f"layer {layer} has no neurons {part}; it has {count}, numbered 0 to {count - 1}")
    return range(start, stop)
