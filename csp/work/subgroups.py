"""Parts of the probe dataset by any of its columns: skin tone, age, sex, site, device, hospital.

for group in subgroups(run, "sex"):           # NotFoundError names the columns there are
    group.name, group.rows                    # "female", and which images; who is not stated is a group, too
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from csp.errors import NotFoundError
from csp.keeping.run_folder.run import Run

SMALL = 20
"""With fewer images a subgroup's numbers say little: it is named as small, and not ranked."""
MOST_GROUPS = 12
"""Of a column with more values, numbers are parted into quarters, and the rarest texts put together."""
NOT_STATED, OTHERS = "not stated", "other values"
_OF_THE_RUN = ("image", "path", "width", "height", "prediction")


@dataclass(frozen=True, eq=False)
class Subgroup:
    """The images with one value of a column."""

    name: str
    rows: Bool[np.ndarray, " n"]


@lru_cache(maxsize=8)
def subgroup_columns(run: Run) -> tuple[str, ...]:
    """The columns that part the images: the dataset's own that hold more than one value."""
    table = run.images
    return tuple(
        str(name) for name in table.columns if name not in _OF_THE_RUN and table[name].map(str).nunique() > 1
    )


def subgroups(run: Run, column: str) -> tuple[Subgroup, ...]:
    """The parts by one column, in the order of their values, those not stated last.

    Raises NotFoundError for a column that the dataset lacks.
    """
    if column not in run.images.columns:
        known = ", ".join(subgroup_columns(run)) or "none"
        raise NotFoundError(
            f"the images of the run {run.name} have no column {column!r}; columns to part them by: {known}"
        )
    values = run.images[column]
    missing = (
        values.map(str).str.strip().isin(["", "inf", "-inf"]).to_numpy(dtype=bool) | values.isna().to_numpy()
    )
    found = [Subgroup(name, rows & ~missing) for name, rows in _parts(values.where(~missing))]
    if missing.any():
        found.append(Subgroup(NOT_STATED, missing))
    return tuple(group for group in found if group.rows.any())


def _parts(values: pd.Series) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    known = values.dropna()
    if is_bool_dtype(known) or set(known.map(str)) <= {"True", "False"}:
        text = values.map(str)
        yield from (
            (name, (text == value).to_numpy(dtype=bool)) for name, value in (("no", "False"), ("yes", "True"))
        )
    elif is_numeric_dtype(known) and known.nunique() > MOST_GROUPS:
        yield from _quarters(values.astype(np.float64))
    elif is_numeric_dtype(known):
        for value in sorted(known.unique()):
            yield f"{value:g}", (values == value).to_numpy(dtype=bool)
    else:
        text = values.map(str).where(values.notna())
        counts = text.value_counts()
        named = sorted(counts.index[: MOST_GROUPS - 1] if len(counts) > MOST_GROUPS else counts.index)
        yield from ((name, (text == name).to_numpy(dtype=bool)) for name in named)
        yield OTHERS, (text.notna() & ~text.isin(named)).to_numpy(dtype=bool)


def _quarters(values: pd.Series) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    """Four parts of about the same size, named by the values that they really hold."""
    place = pd.qcut(values, 4, labels=False, duplicates="drop")
    for part in sorted(place.dropna().unique()):
        rows = (place == part).to_numpy(dtype=bool)
        yield f"{values[rows].min():g} to {values[rows].max():g}", rows
