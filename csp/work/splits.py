"""The two parts of a probe dataset: images that may decide a label, and those held out to judge it."""

import numpy as np
from jaxtyping import Bool

from csp.keeping.run_folder.run import Run

HELD_OUT = ("held-out", "test")
"""Values of the column `split` that mark held-out images."""


def held_out(run: Run) -> tuple[Bool[np.ndarray, " n"], str]:
    """Which images labels are judged on, and the name of that part: a split, or `all` where there is none."""
    split = run.images["split"].str.lower()
    for name in HELD_OUT:
        rows = (split == name).to_numpy(dtype=bool)
        if rows.any():
            return rows, name
    return np.ones(len(split), dtype=bool), "all"


def selection(run: Run) -> Bool[np.ndarray, " n"] | None:
    """The images that may decide a label: those not held out; None (all) where there are no splits."""
    rows, _ = held_out(run)
    return None if rows.all() else ~rows
