"""What stands in the columns of a dataset: truth values, numbers and texts, told from what was written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from csp.world.protocols.dataset import COLUMNS
from csp.world.tables import same_name

TRUTH = {
    "1": True,
    "true": True,
    "yes": True,
    "1.0": True,
    "present": True,
    "0": False,
    "false": False,
    "no": False,
    "0.0": False,
    "absent": False,
}
MOST_NAMED = 6


def typed(column: pd.Series) -> pd.Series:
    """Make truth values of pairs like 0/1 or absent/present, numbers of numbers; leave all else as text."""
    present = column.dropna().astype(str)
    if present.empty:
        return as_text(column)
    if present.str.lower().isin(TRUTH).all():
        return column.str.lower().map(TRUTH).astype("boolean")
    text = column.str.replace(",", ".") if present.str.fullmatch(r"-?\d+(,\d+)?").all() else column
    try:
        numbers = pd.to_numeric(text)
    except (ValueError, OverflowError):
        return as_text(column)
    return (
        numbers if numbers.dtype in ("int64", "float64") else as_text(column)
    )  # longer ones are no measures


def as_text(column: pd.Series) -> pd.Series:
    """Texts, and None where there is none."""
    return column.astype(object).where(column.notna(), None)


class Records:
    """Gathers what each image has beside it (single values by name) into the table of a dataset."""

    def __init__(self, labels: Sequence[str], splits: Sequence[str]) -> None:
        """The names under which the label and the split may stand, first the likeliest."""
        self._labels, self._splits = labels, splits
        self._rows: list[dict[str, str | None]] = []
        self._left_out: dict[str, None] = {}

    def add(self, path: str, label: str | None, said: Mapping[str, Any], split: str = "") -> None:
        """One image; `label` and `split` come before what is said of them."""
        found: dict[str, str | None] = {}
        for name, value in said.items():
            if value is None or isinstance(value, str | bool | int | float):
                found[str(name)] = None if value is None else _written(value)
            else:
                self._left_out[str(name)] = None
        if label is None:
            label = _taken(found, self._labels)
        split = split or _taken(found, self._splits) or ""
        kept = {(f"{name} (given)" if name in COLUMNS else name): value for name, value in found.items()}
        self._rows.append({"path": path, "label": label, "split": split, **kept})

    def table(self) -> pd.DataFrame:
        """The rows in the order in which they came."""
        table = pd.DataFrame(self._rows, columns=self._columns(), dtype=object)
        for name in COLUMNS:
            table[name] = as_text(table[name])
        return table.assign(**{name: typed(table[name]) for name in table.columns if name not in COLUMNS})

    def notes(self) -> tuple[str, ...]:
        """What could not be kept."""
        names = list(self._left_out)
        if not names:
            return ()
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return (f"what is no single value was left out: {', '.join(names[:MOST_NAMED])}{more}",)

    def _columns(self) -> list[str]:
        names = dict.fromkeys(COLUMNS)
        for row in self._rows:
            names |= dict.fromkeys(row)
        return list(names)


def _written(value: str | bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _taken(found: dict[str, str | None], names: Iterable[str]) -> str | None:
    """Takes the first of these names that has a value out of what was found."""
    spelled = {same_name(name): name for name in reversed(list(found))}
    for name in names:
        if (key := spelled.get(same_name(name))) is not None and found[key]:
            return found.pop(key)
    return None
