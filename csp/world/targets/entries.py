"""The inputs of a model file beside its picture, each made of one column of the dataset or of several.

entries = read_entries({"meta": {"joined": {"sex": {"choices": ["f", "m"]}, "age": {"scale": 0.01}}}}, ...)
entries[0].tensor({"sex": ..., "age": ...})     # [pictures, 3]: a one among zeros, then the age / 100
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.protocols.columns import Column, read_columns


@dataclass(frozen=True)
class Entry:
    """One input: `width` numbers a picture, as `[pictures, width]`, or where that is 0 one, as `[pictures]`.

    Each column is a number, multiplied by its scale. Where there is room, one of words is a 1 among zeros.
    """

    name: str
    columns: tuple[Column, ...]
    scales: tuple[float, ...]
    width: int

    def tensor(self, given: Mapping[str, Tensor]) -> Shaped[Tensor, " b"] | Shaped[Tensor, "b width"]:
        """What enters, of the number that each picture has in each column."""
        if not self.width:
            return given[self.columns[0].name]
        if self.width == 1:
            return given[self.columns[0].name].float()[:, None] * self.scales[0]
        parts = []
        for column, scale in zip(self.columns, self.scales, strict=True):
            numbers = given[column.name]
            parts.append(
                nn.functional.one_hot(numbers.long(), len(column.choices)).float()
                if column.choices
                else numbers.float()[:, None] * scale
            )
        return torch.cat(parts, 1)


def columns_of(entries: Sequence[Entry]) -> tuple[Column, ...]:
    """The columns of all entries, in order."""
    return tuple(column for entry in entries for column in entry.columns)


def read_entries(stated: Any, widths: Mapping[str, int | None], whose: str) -> tuple[Entry, ...]:
    """The inputs of these names and widths (0 for `[pictures]`, None where the file leaves it open) as its
    `columns` states them.

    `{"sex": {"choices": ["f", "m"]}}` for one column, `{"meta": {"joined": {"sex": ..., "age": {"scale":
    0.01}}}}` for several in a row. Raises `BadInputError` for what can't be read, or has another width.
    """
    joined, alone = dict[str, Any](), stated
    if isinstance(stated, dict):
        joined = {name: facts["joined"] for name, facts in stated.items() if is_joined(facts)}
        alone = {name: facts for name, facts in stated.items() if name not in joined or name not in widths}
    plain = [name for name in widths if name not in joined]
    entries = {name: _row(name, parts, whose) for name, parts in joined.items()}
    for one in read_columns(alone, plain, whose):
        width = widths[one.name]
        entries[one.name] = Entry(one.name, (one,), (1.0,), _numbers([one]) if width is None else width)
    found = tuple(entries[name] for name in widths)
    for entry in found:
        _check_width(entry, widths[entry.name], whose)
    names = [column.name for column in columns_of(found)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInputError(f"{whose} states the column '{twice}' twice in its columns: once is enough.")
    return found


def is_joined(facts: Any) -> bool:
    """Whether an input is stated as several columns in a row."""
    return isinstance(facts, dict) and facts.keys() == {"joined"}


def _row(name: str, parts: Any, whose: str) -> Entry:
    if not isinstance(parts, dict) or not parts or not all(isinstance(each, dict) for each in parts.values()):
        raise BadInputError(
            f"{whose} states '{name}' in a way that can't be read: 'joined' holds columns by their names, "
            'such as {"sex": {"choices": ["f", "m"]}, "age": {"scale": 0.01}}.'
        )
    scales = [each.get("scale", 1) for each in parts.values()]
    if not all(isinstance(scale, int | float) and math.isfinite(scale) for scale in scales):
        raise BadInputError(f"{whose} states a 'scale' within '{name}' that is no number.")
    plain = {key: {k: v for k, v in each.items() if k != "scale"} for key, each in parts.items()}
    columns = read_columns(plain, list(parts), whose)
    return Entry(name, columns, tuple(float(scale) for scale in scales), _numbers(columns))


def _numbers(columns: Sequence[Column]) -> int:
    return sum(len(column.choices) or 1 for column in columns)


def _check_width(entry: Entry, width: int | None, whose: str) -> None:
    """Raise `BadInputError` where the columns make another number of numbers than the input takes."""
    made = _numbers(entry.columns)
    if width is None or made == width or (width < 2 and len(entry.columns) == 1):
        return
    raise BadInputError(
        f"{whose} takes {width or 1} numbers for '{entry.name}' beside the picture, but its 'columns' make "
        f"{made}: state as many choices, or the columns that it is joined of (docs/how-to/models.md)."
    )
