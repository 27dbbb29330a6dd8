"""What a target model takes beside the picture (age, sex, site): columns of the dataset, by their names.

    columns, notes = settle(model.columns, dataset.table)      # each with what enters for a missing value
    values = entered(columns, [{"age": 61, "sex": None}])      # {"age": [61.0], "sex": [1.0]}
    model.given(values).run(batch, layers)

A word enters as its place among the column's choices. Where a value is missing, the column's default enters:
the one that the model states, else the median of the dataset's numbers, or its most frequent word.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.world.specs.registry import nearest
from csp.world.tables import same_name

MISSING = ("", "unknown", "na", "n/a", "nan", "none")
"""Words that say that a value is not known, unless they are among the choices."""
MOST_CHOICES = 4
"""How many choices a sentence lists."""


@dataclass(frozen=True)
class Column:
    """One value beside the picture: a number, or one of the words `choices`."""

    name: str
    choices: tuple[str, ...] = ()
    default: float | str | None = None
    """What enters where the value is missing; None where the model does not say."""


Beside = Mapping[str, object]
"""What one picture has beside it, by the name of the column."""
Values = Mapping[str, Float32[np.ndarray, " b"]]
"""By column, a number for each picture of a batch, or one for all of them."""


@runtime_checkable
class BesideTarget(Protocol):
    """A target model that takes more than the picture. Without `given`, the defaults enter."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it takes; empty for one that takes the picture alone."""

    def given(self, values: Values) -> Any:
        """The same model, for batches of pictures with these values beside them."""


def target_columns(target: object) -> tuple[Column, ...]:
    """What a target model takes beside the picture."""
    return target.columns if isinstance(target, BesideTarget) else ()


def settle(columns: Sequence[Column], table: pd.DataFrame) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns, each with a default, and a note on each that some image lacks.

    Raises `BadInputError` for a value that can't enter, and where nothing says what could.
    """
    notes, settled = list[str](), list[Column]()
    for column in columns:
        name = _spelled(table.columns, column.name)
        cells = [None] * len(table) if name is None else list(table[name])
        numbers = [number for cell in cells if (number := _number(column, cell)) is not None]
        lacking = len(cells) - len(numbers)
        settled.append(_with_default(column, numbers, table.columns))
        if lacking:
            some = "no image has one" if not numbers else f"{lacking:,} of {len(cells):,} images have none"
            notes.append(
                f"the model takes '{column.name}' beside the picture and {some}: there "
                f"{told(settled[-1].default)} enters"
            )
    return tuple(settled), tuple(notes)


def entered(columns: Sequence[Column], rows: Sequence[Beside]) -> Values:
    """The numbers that enter for these pictures. Raises `BadInputError` for a value that can't."""
    found = {}
    for column in columns:
        usual = _number(column, column.default) or 0.0
        numbers = [_number(column, value_of(column, row)) for row in rows]
        found[column.name] = np.array([usual if one is None else one for one in numbers], np.float32)
    return found


def value_of(column: Column, row: Beside) -> object:
    """What a picture has in a column, however its name is spelled; None where it has nothing."""
    return row.get(_spelled(row, column.name) or "")


def lacking(columns: Sequence[Column], row: Beside) -> tuple[Column, ...]:
    """The columns of which a picture has no value, so that the default enters."""
    return tuple(one for one in columns if _number(one, value_of(one, row)) is None)


def records(table: pd.DataFrame) -> list[Beside]:
    """What the images of these rows have beside them."""
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def told(value: object) -> str:
    """A value as people write it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_columns(stated: Any, names: Sequence[str], whose: str) -> tuple[Column, ...]:
    """The columns of these names as metadata state them, such as `{"sex": {"choices": ["f", "m"]}}`.

    One of which nothing is stated is a number. Raises `BadInputError` for what can't be read.
    """
    if stated is not None and not isinstance(stated, dict):
        raise BadInputError(f"{whose} states 'columns' that are no object: write a name and what it takes.")
    takes = ", ".join(names) or "the picture alone"
    for name in stated or {}:
        if name not in names:
            raise BadInputError(f"{whose} states the column '{name}', but takes {takes}.")
    return tuple(_column(name, (stated or {}).get(name, {}), whose) for name in names)


def _column(name: str, facts: Any, whose: str) -> Column:
    facts = facts if isinstance(facts, dict) else {"": facts}
    choices, default = facts.get("choices", []), facts.get("default")
    if (
        not facts.keys() <= {"choices", "default"}
        or not isinstance(choices, list)
        or not all(isinstance(word, str) for word in choices)
        or not (default is None or isinstance(default, str | int | float))
    ):
        raise BadInputError(
            f"{whose} states the column '{name}' in a way that can't be read: it may have 'choices', a list "
            "of words, and a 'default'."
        )
    column = Column(name, tuple(choices), float(default) if isinstance(default, int) else default)
    if default is not None and _number(column, default) is None:
        raise BadInputError(f"{whose} states a default of the column '{name}' that is no value.")
    return column


def _with_default(column: Column, numbers: Sequence[float], known: Iterable[object]) -> Column:
    if column.default is not None:
        return column
    if not numbers:
        raise BadInputError(
            f"The model takes '{column.name}' beside the picture, but no image has a value in a column of "
            f"that name{nearest(column.name, [str(name) for name in known])}: add the column, or let the "
            "model state a default."
        )
    if not column.choices:
        return replace(column, default=float(median(numbers)))
    return replace(column, default=column.choices[int(Counter(numbers).most_common(1)[0][0])])


def _spelled(names: Iterable[object], wanted: str) -> str | None:
    """The name among these that is the wanted one, but for blanks, case and dashes."""
    spelled = {same_name(str(name)): str(name) for name in names}
    return spelled.get(same_name(wanted))


def _number(column: Column, cell: object) -> float | None:
    """The number by which a cell enters; None where it is missing."""
    if cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return None
    word = same_name(told(cell))
    places = {same_name(choice): place for place, choice in enumerate(column.choices)}
    if word in places:
        return float(places[word])
    if word in MISSING:
        return None
    if column.choices:
        more = ", ..." if len(column.choices) > MOST_CHOICES else ""
        raise BadInputError(
            f"The column '{column.name}' holds '{told(cell)}', which the model does not know: it knows "
            f"{', '.join(column.choices[:MOST_CHOICES])}{more}. Write one of them, or leave the cell empty."
        )
    try:
        number = float(str(cell).replace(",", ".")) if isinstance(cell, str) else float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise BadInputError(
            f"The column '{column.name}' holds '{told(cell)}', but the model takes a number there: write "
            "one, or leave the cell empty."
        )
    return number
