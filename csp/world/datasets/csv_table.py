"""A probe dataset from a table: one image a row, with its label, split and attributes.

Tables are taken as archives hand them out: the columns of images, labels and splits are known by many names
(case, `_`, `-` and blanks do not matter), classes may stand one to a column (0 and 1), and images may be
named without their ending or lie in folders below the table (`image_names.py`). All other columns are
attributes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from csp.counts import counted
from csp.errors import BadInputError
from csp.files import expanded, require_file
from csp.world.datasets.image_kinds import is_image_name
from csp.world.datasets.image_names import ImageFiles
from csp.world.datasets.isic import RESTS, with_head, with_metadata
from csp.world.datasets.patients import without_patients
from csp.world.datasets.places import folder_of, root_of
from csp.world.datasets.values import as_text, typed
from csp.world.places.addresses import is_address
from csp.world.places.place import Place
from csp.world.protocols.dataset import Dataset
from csp.world.tables import TextTable, parse_table, read_table, same_name, text_of

PATH_NAMES = (
    *("path", "image", "file", "filename", "filepath", "image_path", "image_file", "image_filename"),
    *("img_path", "image_name", "picture", "photo", "img", "isic_id", "image_id", "img_id", "img_name"),
    *("md5hash", "derm", "bcn_filename"),
)
LABEL_NAMES = (
    *("label", "diagnosis", "class", "target", "dx", "diagnostic", "class_name", "category", "disease"),
    *("benign_malignant", "malignancy", "diagnosis_1"),
)
SPLIT_NAMES = ("split", "partition", "subset", "fold")
CHALLENGE = ("MEL", "NV", "BCC", "AK", "AKIEC", "BKL", "DF", "VASC", "SCC", "UNK")
"""Classes that the ISIC challenges of 2018 and 2019 give a column each."""
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None")
UNKNOWN = ("", "unknown", "na", "n/a", "nan")
TRIED = 50
"""Rows by which a column of images is told where several could be it."""


def open_dataset(name: str) -> Dataset:
    """Read the table. Raises `NotFoundError` without the file, `BadInputError` where it is no such table."""
    if is_address(name):
        place = folder_of(name.rpartition("/")[0], "folder")
        read = _fetched(name)
    else:
        file = expanded(name).absolute()
        require_file(file, f"The CSV file '{name}'")
        place = folder_of(str(file.parent), "folder")
        read = with_metadata(with_head(read_table(file, "CSV file")), file)
    table, notes = listed_rows(read, place, name)
    return without_patients(Dataset(f"csv:{name}", root_of(place, name), table, notes, place))


def _fetched(address: str) -> TextTable:
    from csp.world.places.remote import fetch

    what = f"the CSV file {address}"
    text, notes = text_of(fetch(address), address.rpartition("/")[2], what)
    return replace(parse_table(text, what), notes=notes)


def listed_rows(read: TextTable, place: Place, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of a table as the table of a dataset whose images lie in a place, and notes."""
    files = ImageFiles(place)
    path = _image_column(read, files, name)
    given = _frame(read)
    found = files.find(_named(given[path], read, name))
    label, split = _label_column(read), read.column(SPLIT_NAMES)
    classes = _one_hot(given.drop(columns=[path])) if label is None else ()
    table = pd.DataFrame({"path": list(found.paths)})
    table["label"] = _class_of(given[list(classes)]) if classes else _label(given, label)
    none = int(table["label"].isna().sum()) if classes else 0
    table["split"] = given[split].fillna("").astype(str) if split else ""
    used = {path, split, *(classes or (label,))}
    attributes = [column for column in given.columns if column not in used]
    more = pd.DataFrame({column: typed(given[column]) for column in attributes}, index=table.index)
    notes = (*read.notes, *_taken(path, label, classes, none), *found.notes)
    return pd.concat([table, more], axis=1), notes


def _label_column(read: TextTable) -> str | None:
    """The first of the known names; where most of its cells are unknown, the next one that holds words."""
    known = [column for name in LABEL_NAMES if (column := read.column([name])) is not None]
    first = next(iter(known), None)
    if first is None or 2 * _unknown(read.cells(first)) <= len(read.rows):
        return first
    others = (column for column in known if 2 * _unknown(read.cells(column)) <= len(read.rows))
    return next((column for column in others if not all(map(str.isdecimal, read.cells(column)))), first)


def _unknown(cells: Sequence[str]) -> int:
    return sum(cell.casefold() in UNKNOWN for cell in cells)


def _frame(read: TextTable) -> pd.DataFrame:
    """Every cell as text; a missing one as NaN."""
    table = pd.DataFrame(list(read.rows), columns=list(read.columns), dtype=object)
    return table.mask(table.isin(MISSING))


def _image_column(read: TextTable, files: ImageFiles, name: str) -> str:
    """The column that names the images: by its name, then by what its cells name."""
    known = [column for each in PATH_NAMES if (column := read.column([each])) is not None]
    for column in known:
        if files.any_there(read.cells(column)[:TRIED]):
            return column
    some = {column: [cell for cell in read.cells(column)[:TRIED] if cell] for column in read.columns}
    there = [column for column, cells in some.items() if cells and files.all_there(cells)]
    look_like = [column for column, cells in some.items() if cells and all(map(_is_image_name, cells))]
    if found := [*there, *known, *look_like]:
        return found[0]
    raise BadInputError(
        f"The CSV file '{name}' has no column of image paths among {_listed(read.columns)}: "
        f"name one of its columns {PATH_NAMES[0]}."
    )


def _is_image_name(cell: str) -> bool:
    return is_image_name(cell) and not is_address(cell)


def _named(column: pd.Series, read: TextTable, name: str) -> list[str]:
    if column.isna().any():
        line = read.lines[int(column.isna().to_numpy().argmax())]
        raise BadInputError(f"The CSV file '{name}' has no image path in line {line}.")
    return [str(value) for value in column]


def _one_hot(given: pd.DataFrame) -> tuple[str, ...]:
    """Columns of 0 and 1 of which each row has one 1: those of the challenges, else all such columns.

    Those of the challenges are known by their names, so that rows of none or several have no label.
    """
    columns = [str(name) for name in given.columns]
    challenge = [name for name in columns if name.upper() in CHALLENGE and _binary(given[name].dropna())]
    binary = [name for name in columns if _binary(given[name])]
    named = [name for name in binary if name.casefold() in next(iter(RESTS))]
    if frozenset(name.casefold() for name in named) in RESTS and (_ones(given[named]).sum(axis=1) <= 1).all():
        return tuple(named)
    if len(challenge) > 1 and (_ones(given[challenge]).sum(axis=1) == 1).any():
        return tuple(challenge)
    if len(binary) > 1 and (_ones(given[binary]).sum(axis=1) == 1).all():
        return tuple(binary)
    return ()


def _binary(column: pd.Series) -> bool:
    return len(column) > 0 and bool(column.isin(("0", "1", "0.0", "1.0")).all())


def _ones(given: pd.DataFrame) -> np.ndarray:
    ones: np.ndarray = given.isin(("1", "1.0")).to_numpy(dtype=np.int64)
    return ones


def _class_of(given: pd.DataFrame) -> pd.Series:
    ones, rest = _ones(given), _rest(map(str, given.columns))
    named = [str(given.columns[place]) for place in ones.argmax(axis=1)]
    counts = ones.sum(axis=1)
    classes = [
        name if count == 1 else rest if not count else None for name, count in zip(named, counts, strict=True)
    ]
    return pd.Series(classes, dtype=object)


def _rest(classes: Iterable[str]) -> str | None:
    return RESTS.get(frozenset(map(str.casefold, classes)))


def _label(given: pd.DataFrame, label: str | None) -> pd.Series:
    return as_text(given[label]) if label else pd.Series([None] * len(given), dtype=object)


def _taken(path: str, label: str | None, classes: Sequence[str], none: int) -> list[str]:
    """Which columns were taken for what, where their names do not say it themselves; `none`: rows of no
    class among `classes`, or of several."""
    notes = []
    if same_name(path) not in ("path", "image", "file", "filename"):
        notes.append(f"the column '{path}' was taken for the images")
    if classes:
        rest = _rest(classes)
        of_none = f"; {counted(none, 'row has', 'rows have')} none or several, and so no label"
        notes.append(
            f"the labels were taken from the columns {_listed(classes)}, of which each row has one 1"
            + (f", else it is {rest}" if rest else of_none if none else "")
        )
    elif label is not None and same_name(label) not in ("label", "class", "diagnosis"):
        notes.append(f"the column '{label}' was taken for the labels")
    return notes


def _listed(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
