"""A probe dataset from a zip or tar archive of images, with the table in it where there is one."""

from pathlib import Path, PurePosixPath

import pandas as pd

from csp.errors import BadInputError
from csp.world.datasets.csv_table import listed_rows
from csp.world.datasets.image_folder import listed_images, table_of
from csp.world.datasets.patients import without_patients
from csp.world.datasets.places import file_of
from csp.world.places.archive import open_archive
from csp.world.places.place import Place
from csp.world.protocols.dataset import Dataset
from csp.world.tables import parse_table, text_of

TABLES = (".csv", ".tsv")


def open_dataset(name: str) -> Dataset:
    """Images as in a folder: the label is the first folder, unless one folder holds all of them.

    Where just one table lies in the archive and names its images, their labels and attributes come from that,
    as archives of pictures with a `metadata.csv` are handed out.
    """
    shown = f"The archive '{name}'"
    place = open_archive(file_of(name, "archive"), name.replace("\\", "/").rpartition("/")[2], shown)
    by_table = _by_table(place, name)
    if by_table is None:
        listed, notes = listed_images(place, shown)
        paths = list(listed["path"])
        by_table = table_of(paths, below=int(_in_one_folder(paths))), notes
    return without_patients(Dataset(f"archive:{name}", Path(name), *by_table, place))


def _in_one_folder(paths: list[str]) -> bool:
    """Whether one folder, which is then the archive itself under a name, holds all images."""
    tops = {PurePosixPath(path).parts[0] for path in paths}
    return len(tops) == 1 and all("/" in path for path in paths)


def _by_table(place: Place, name: str) -> tuple[pd.DataFrame, tuple[str, ...]] | None:
    tables = [path for path in place.files() if PurePosixPath(path).suffix.lower() in TABLES]
    if len(tables) != 1:
        return None
    shown = f"{name}/{tables[0]}"
    try:
        text, notes = text_of(place.read(tables[0]), tables[0], f"the table {shown}")
        table, more = listed_rows(parse_table(text, f"the table {shown}"), place, shown)
    except BadInputError:
        return None  # it is about something else
    if not any(place.is_file(path) for path in table["path"]):
        return None
    return table, (*notes, f"labels and attributes come from {tables[0]} in the archive", *more)
