"""Parts of the probe dataset by any of its columns: skin tone, age, sex, site, device, hospital.

for group in subgroups(run, "sex"):           # NotFoundError names the columns there are
    group.name, group.rows                    # "female", and which images; who is not stated is a group, too
"""

import re
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
_PEOPLE = re.compile(
    "skin|fitzpatrick|age|sex|gender|race|ethnic|site|location|localisation|localization|country|"
    "device|camera|scanner|hospital|clinic|centre|center"
)
"""How words begin that name columns which tell people, places and devices apart: these are offered first."""
_NO_GROUP = re.compile("(labels?|class(es)?|diagnos(is|es|tic)|dx|malignan(t|cy)|target|split|fold)$")
"""How words read that name columns of the diagnosis or of the split: one may ask by them, but they are no
groups of people."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ID = ("id", "uuid", "hash", "file", "filename")


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


def offered_columns(run: Run) -> tuple[str, ...]:
    """Those of them that a page offers: people, places and devices first; no classes, splits or ids."""
    people = people_columns(run)
    others = (name for name in subgroup_columns(run) if name not in people)
    return (*people, *(name for name in others if not _is_id(run, name) and not _is_diagnosis(run, name)))


def people_columns(run: Run) -> tuple[str, ...]:
    """The columns whose name tells people, places or devices apart."""
    return tuple(
        name
        for name in subgroup_columns(run)
        if any(_PEOPLE.match(word) for word in _words(name)) and not _is_id(run, name)
    )


def in_words(column: str) -> str:
    """The name of a column as a person reads it: `dark_skin` is "dark skin"."""
    return " ".join(column.replace("_", " ").split()) or column


def _words(column: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(column)]


def _is_diagnosis(run: Run, column: str) -> bool:
    """Whether a column is the diagnosis, also in other words (each label has its own value), or the split."""
    if any(_NO_GROUP.match(word) for word in _words(column)):
        return True
    if "label" not in run.images or run.images[column].dtype == bool or is_numeric_dtype(run.images[column]):
        return False
    pairs = run.images[["label", column]].dropna().astype(str).drop_duplicates()
    return len(pairs) > 1 and pairs["label"].is_unique and pairs[column].is_unique


def _is_id(run: Run, column: str) -> bool:
    """Whether a column names each image or patient, so that its values are no groups."""
    values = run.images[column].dropna()
    named = any(word in _ID for word in _words(column)[-1:])
    return named or (
        not is_numeric_dtype(values) and 2 * values.map(str).nunique() > max(len(values), MOST_GROUPS)
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
