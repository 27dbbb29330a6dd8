"""Numbers laid aside in a file while a run is made: what is known early of images whose turn comes late."""

import os
from pathlib import Path
from tempfile import mkstemp

import numpy as np
from jaxtyping import Num


class PileOnDisk:
    """A pile (`csp.method.examples.best_so_far.Pile`) in a file of its own in a folder."""

    def __init__(self, folder: Path, dtype: type[np.number]) -> None:
        self._dtype = dtype
        descriptor, name = mkstemp(dir=folder)
        os.close(descriptor)  # there may be more piles than a process may have open files
        self._path = Path(name)

    def add(self, some: Num[np.ndarray, " q"]) -> None:
        """Append to the file."""
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(some, self._dtype).data)

    def taken(self) -> Num[np.ndarray, " all"]:
        """Read the file, and empty it."""
        found = np.fromfile(self._path, self._dtype)
        os.truncate(self._path, 0)
        return found
