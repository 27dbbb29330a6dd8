"""Probe datasets: a table of image paths with their label, split and attributes.

Files need not be there or be readable: that is found out, image by image, when a run is made.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from pandas.util import hash_array

from csp.errors import BadInputError
from csp.world.places.folder import LocalFolder
from csp.world.places.place import Place
from csp.world.specs.registry import DATASETS

COLUMNS = ("path", "label", "split")
_ROWS = 4096
"""Rows that are text at once."""


@dataclass(frozen=True)
class Dataset:
    """Images in a fixed order: `table` has `path` (relative to `root`), `label`, `split`, then attributes."""

    spec: str
    root: Path
    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    """What is worth knowing of how it was read, each in a sentence."""
    place: Place | None = None
    """Where the images lie, if it is no folder of this machine: then `path` is relative to this."""

    @cached_property
    def images(self) -> Place:
        """Reads the images by their `path`."""
        return self.place or LocalFolder(self.root)

    @property
    def name(self) -> str:
        """What it is called on screen."""
        return self.images.name

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attribute columns."""
        return tuple(str(name) for name in self.table.columns if name not in COLUMNS)

    def fingerprint(self) -> str:
        """SHA-256 over the rows and the content of every file: the same data elsewhere gives the same."""
        digest = hashlib.sha256()
        for first in range(0, max(1, len(self.table)), _ROWS):
            block = self.table.iloc[first : first + _ROWS]
            digest.update(block.to_csv(index=False, header=first == 0).encode())
        for path in self.table["path"]:
            digest.update(self.images.digest(path))
        return digest.hexdigest()


def open_dataset(spec: str) -> Dataset:
    """Open `folder:PATH`, `csv:FILE`, ...: `csp/world/datasets/__init__.py` lists them.

    Raises `NotFoundError` when the path does not exist, `BadInputError` when nothing can be made of it.
    """
    opener, name = DATASETS.opener(spec)
    dataset = cast(Callable[[str], Dataset], opener)(name)
    check_table(dataset)
    return dataset


def check_table(dataset: Dataset) -> None:
    """Raise `BadInputError` unless there are images, each is named once, and the fixed columns are there."""
    table = dataset.table
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise BadInputError(f"The table of dataset '{dataset.spec}' lacks the column '{missing[0]}'.")
    if table.empty:
        raise BadInputError(f"The dataset '{dataset.spec}' has no images.")
    repeated = _repeated(table["path"])
    if len(repeated):
        raise BadInputError(
            f"The dataset '{dataset.spec}' names the image '{repeated.iloc[0]}' more than once: "
            "keep one row for each image."
        )


def _repeated(paths: pd.Series) -> pd.Series:
    """Those that were there before; only those with equal hashes are compared as text, which takes room."""
    blocks = (paths.iloc[first : first + _ROWS] for first in range(0, len(paths), _ROWS))
    hashes = np.concatenate([hash_array(block.to_numpy(object), categorize=False) for block in blocks])
    ascending = np.sort(hashes)
    alike = paths[np.isin(hashes, ascending[1:][ascending[1:] == ascending[:-1]])]
    return alike[alike.duplicated()]
