"""The tables of the ISIC challenges as they are downloaded.

Without a head (2016), two columns for three classes (2017), and what else is known of the images in a table
of its own beside the truth (2018, 2019).
"""

import re
from dataclasses import replace
from pathlib import Path

from csp.errors import CspError
from csp.world.tables import TextTable, read_table

IMAGE = re.compile(r"ISIC_\d{7}(_downsampled)?", re.IGNORECASE)
TRUTH = re.compile("GroundTruth", re.IGNORECASE)
BESIDE = ("Metadata", "LesionGroupings")
"""What stands for `GroundTruth` in the names of tables that say more of the same images."""
RESTS = {frozenset(("melanoma", "seborrheic_keratosis")): "nevus"}
"""The class of images that belong to none of the classes with a column."""


def with_head(read: TextTable) -> TextTable:
    """A table whose first row is already an image and its class, under the names `image` and `label`."""
    if len(read.columns) != 2 or not IMAGE.fullmatch(Path(read.columns[0]).stem):
        return read
    note = "the table has no head: its columns were taken for image and label"
    first, lines = tuple(re.sub(r"\.1$", "", cell) for cell in read.columns), (1, *read.lines)
    return TextTable(("image", "label"), (first, *read.rows), lines, (*read.notes, note))


def with_metadata(read: TextTable, file: Path) -> TextTable:
    """The columns of the tables beside a ground truth that are about the same images, added to its own."""
    for part in BESIDE if TRUTH.search(file.stem) else ():
        beside = file.with_name(TRUTH.sub(part, file.stem) + file.suffix)
        if beside.is_file():
            read = _joined(read, beside)
    return read


def _joined(read: TextTable, beside: Path) -> TextTable:
    try:
        more = read_table(beside, "CSV file")
    except CspError as error:
        return replace(read, notes=(*read.notes, f"{beside.name} was left out: {error}"))
    key, other = read.columns[0], more.columns[0]
    new = [place for place, name in enumerate(more.columns) if place and name not in read.columns]
    known = {Path(row[0]).stem.casefold(): row for row in more.rows}
    names = [Path(cell).stem.casefold() for cell in read.cells(key)]
    met = sum(name in known for name in names)
    if not new or not met:
        return read
    empty = ("",) * len(more.columns)
    rows = tuple(
        (*row, *(known.get(name, empty)[place] for place in new))
        for row, name in zip(read.rows, names, strict=True)
    )
    said = ", ".join(more.columns[place] for place in new)
    note = (
        f"{said} come from {beside.name} beside the table, by {other}, for {met:,} of {len(names):,} images"
    )
    columns = (*read.columns, *(more.columns[place] for place in new))
    return TextTable(columns, rows, read.lines, (*read.notes, note))
