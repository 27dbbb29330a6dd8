"""A probe dataset from a CSV file: one image a row, with its label, split and attributes.

The column of image paths is the first of `PATH_NAMES` that the file has, the label that of `LABEL_NAMES`;
`split` is optional, every other column is an attribute. Case does not matter in these names. Paths are
relative to the file.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.dataset import Dataset

PATH_NAMES = ("path", "image", "file", "filename", "filepath", "image_path")
LABEL_NAMES = ("label", "diagnosis", "class", "target")
MISSING = ("", "NA", "N/A", "NaN", "nan", "null")
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


def open_dataset(name: str) -> Dataset:
    """Read the table. Raises `NotFoundError` without the file, `BadInputError` where it is no such table."""
    file = Path(name).expanduser().absolute()
    if not file.is_file():
        raise NotFoundError(f"The CSV file '{name}' does not exist.")
    given = _read(file, name)
    path, label, split = (_find(given, names) for names in (PATH_NAMES, LABEL_NAMES, ("split",)))
    if path is None:
        raise BadInputError(
            f"The CSV file '{name}' has no column of image paths: name one of its columns {PATH_NAMES[0]}."
        )
    table = pd.DataFrame({"path": _paths(given[path], file.parent, name)})
    table["label"] = _text(given[label]) if label else pd.Series([None] * len(given), dtype=object)
    table["split"] = given[split].fillna("").astype(str) if split else ""
    attributes = [column for column in given.columns if column not in (path, label, split)]
    typed = pd.DataFrame({column: _typed(given[column]) for column in attributes}, index=table.index)
    return Dataset(f"csv:{name}", file.parent, pd.concat([table, typed], axis=1))


def _read(file: Path, name: str) -> pd.DataFrame:
    """Read every cell as text without the blanks around it; a missing one as NaN."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            separator = max(",;\t", key=lines.readline().count)
        table = pd.read_csv(
            file,
            sep=separator,
            dtype=str,
            keep_default_na=False,
            na_values=list(MISSING),
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise BadInputError(f"The CSV file '{name}' is not UTF-8 text: save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).strip().rstrip(".")
        raise BadInputError(f"The CSV file '{name}' can't be read as a table ({reason}).") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first cells for row names
        raise BadInputError(f"The CSV file '{name}' has more cells in its rows than names in its head.")
    return pd.DataFrame({str(name).strip(): table[name].str.strip() for name in table.columns})


def _find(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the table's own spelling of the first of the names that it has."""
    spelled = {str(column).lower(): str(column) for column in reversed(table.columns)}
    return next((spelled[name] for name in names if name in spelled), None)


def _paths(column: pd.Series, root: Path, name: str) -> list[str]:
    """Write paths with `/`, relative to the root where they lie under it, so that one image has one name."""
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax()) + 2  # the head is line 1
        raise BadInputError(f"The CSV file '{name}' has no image path in line {row}.")
    prefix = PurePosixPath(root.as_posix())
    paths = [PurePosixPath(str(value).replace("\\", "/")) for value in column]
    return [str(path.relative_to(prefix) if path.is_relative_to(prefix) else path) for path in paths]


def _text(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None)


def _typed(column: pd.Series) -> pd.Series:
    """Make truth values of pairs like 0/1 or absent/present, numbers of numbers; leave all else as text."""
    present = column.dropna()
    if present.empty:
        return _text(column)
    if present.str.lower().isin(TRUTH).all():
        return column.str.lower().map(TRUTH).astype("boolean")
    try:
        return pd.to_numeric(column)
    except ValueError:
        return _text(column)
