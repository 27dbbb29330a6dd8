"""Probe datasets: a table of image paths with their label, split and attributes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """Images in a fixed order: `table` has `path` (relative to `root`), `label`, `split`, then attributes."""

    spec: str
    root: Path
    table: pd.DataFrame

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attribute columns."""
        return tuple(str(name) for name in self.table.columns[3:])

    def fingerprint(self) -> str:
        """SHA-256 over the rows and the content of every file."""
        raise NotImplementedError


def open_dataset(spec: str) -> Dataset:
    """Open `folder:PATH` or `csv:FILE`. Raises `BadInputError`, `NotFoundError` when the path does not exist."""
    raise NotImplementedError


DATASETS: dict[str, Callable[[str], Dataset]] = {}
