"""Arrays that people bring along: opened safely, checked, and read in blocks of float32."""

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from numpy.lib import format as npy
from numpy.lib.format import MAGIC_PREFIX, open_memmap
from scipy.sparse import csr_array, load_npz

from csp.errors import BadInputError, NotFoundError
from csp.files import open_regular

BLOCK_BYTES = 64 << 20
MOST_AXES, MOST_COLUMNS, MOST_ROWS = 4, 1 << 24, 1 << 27
"""Of a sparse array, whose head may claim any number of them."""
UNIT = 1e-3
"""Lengths that differ from 1 by less are rounding of a unit vector kept in half precision."""


@dataclass(frozen=True, eq=False)
class GivenArray:
    """A two-dimensional array: in a `.npy` file, mapped and not read; or in SciPy's `.npz`, sparse."""

    path: Path
    what: str
    data: np.ndarray | csr_array

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.data.shape[0])

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.data.shape[1])

    def block(self, start: int, stop: int) -> Float32[np.ndarray, "b w"]:
        """Some rows as float32; a value too large for it becomes infinite."""
        rows = self.data[start:stop]
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(
                rows.toarray() if isinstance(rows, csr_array) else rows, dtype=np.float32
            )

    def blocks(self) -> Iterator[tuple[int, Float32[np.ndarray, "b w"]]]:
        """All rows, block after block, each with its first row."""
        step = max(1, BLOCK_BYTES // (4 * self.width))
        for start in range(0, self.rows, step):
            yield start, self.block(start, start + step)

    def not_finite(self) -> Int64[np.ndarray, " w"]:
        """By column, how many values are not finite as float32."""
        if isinstance(self.data, csr_array):
            with np.errstate(over="ignore"):
                bad = ~np.isfinite(self.data.data.astype(np.float32))
            return np.bincount(self.data.indices[bad], minlength=self.width)
        return sum(
            (np.count_nonzero(~np.isfinite(block), axis=0) for _, block in self.blocks()),
            np.zeros(self.width, dtype=np.int64),
        )

    def conversion(self) -> list[str]:
        """A note when the values were of another type than float32."""
        if self.data.dtype == np.float32:
            return []
        return [f"{self.what} were converted from {self.data.dtype} to float32"]


def open_given(path: Path, what: str) -> GivenArray:
    """Map a `.npy` file, or read a sparse `.npz` file without filling in its zeros.

    Raises NotFoundError, or BadInputError for anything but a table of numbers.
    """
    data = _mapped(path, what)
    if not isinstance(data, np.ndarray | csr_array):
        raise BadInputError(
            f"{path} is an archive of arrays; save the {what} alone with numpy.save, or with "
            "scipy.sparse.save_npz where most are 0"
        )
    if data.dtype.kind not in "fiub":
        raise BadInputError(f"the {what} in {path} are of type {data.dtype}; save them as float32")
    if data.ndim != 2 or 0 in data.shape:
        raise BadInputError(
            f"the {what} in {path} have shape {data.shape}; one row an image or text is needed"
        )
    return GivenArray(path, what, data)


def _mapped(path: Path, what: str) -> Any:
    try:
        with open_regular(path) as file:
            start = file.read(len(MAGIC_PREFIX))
        if start and start != MAGIC_PREFIX and not start.startswith(b"PK"):
            raise ValueError("numpy.save did not write it")
        if start == MAGIC_PREFIX:
            with np.errstate(over="ignore"):  # a size beyond all numbers is refused all the same
                return open_memmap(path, mode="r")
        with np.load(path, allow_pickle=False) as archive:  # an archive, or refused
            is_sparse = {"format", "shape", "data"} <= set(archive)
        return _sparse(path) if is_sparse else None
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path} with the {what}; give a .npy file") from None
    except Exception as error:  # noqa: BLE001 # what NumPy raises on a damaged head is of many kinds
        raise BadInputError(
            f"the {what} in {path} can't be read as a .npy file of numbers ({_reason(error)})"
        ) from None


def _check_size(path: Path) -> None:
    """Raise ValueError where it would hold more than a full array of its shape: little may unpack to much."""
    with zipfile.ZipFile(path) as archive:
        held = {name.removesuffix(".npy"): _stated(archive, name) for name in archive.namelist()}
    with np.load(path, allow_pickle=False) as arrays:
        shape = arrays["shape"].ravel().tolist() if held["shape"] <= MOST_AXES else []
    if len(shape) != 2 or min(shape) < 0 or shape[0] > MOST_ROWS or shape[1] > MOST_COLUMNS:
        raise ValueError(f"it says that its shape is {tuple(shape)}")
    for name, values in held.items():
        if values > (shape[0] + shape[1]) * (shape[1] + 1):
            raise ValueError(f"{name} holds {values:,} values, more than an array of shape {tuple(shape)}")


def _stated(archive: zipfile.ZipFile, name: str) -> int:
    """How many values an array says it holds, in its head."""
    with archive.open(name) as file:
        head = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
        return math.prod(head(file)[0])


def _sparse(path: Path) -> csr_array:
    """What `scipy.sparse.save_npz` wrote, by rows however it is kept; ValueError where it is damaged."""
    _check_size(path)
    stored = load_npz(path)
    if stored.format in ("csr", "csc", "bsr"):  # others look at their indices when they are opened
        stored.check_format(full_check=True)
    by_row = csr_array(stored)
    by_row.sum_duplicates()
    return by_row


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error.args[0] if error.args else "").split())[:200] or type(error).__name__


def check_vectors(given: GivenArray) -> list[str]:
    """Notes on embeddings; BadInputError names the first row that is not finite or has no direction."""
    lengths = np.concatenate([_lengths(given, start, block) for start, block in given.blocks()])
    shortest, longest = float(lengths.min()), float(lengths.max())
    if shortest > 1 - UNIT and longest < 1 + UNIT:
        return given.conversion()
    return [
        *given.conversion(),
        f"{given.what} were normalised to length 1 (lengths were {shortest:.4g} to {longest:.4g})",
    ]


def normalised(vectors: Float32[np.ndarray, "b d"]) -> Float32[np.ndarray, "b d"]:
    """Rows of length 1; the input is already checked."""
    wide = vectors.astype(np.float64)
    unit: np.ndarray = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return unit.astype(np.float32)


def check_activations(given: GivenArray) -> list[str]:
    """Notes on activations: conversions, and how many values are not finite."""
    bad = given.not_finite()
    if not bad.any():
        return given.conversion()
    neurons = np.count_nonzero(bad)
    return [
        *given.conversion(),
        f"{given.what} hold {bad.sum()} values that are not finite, in {neurons} neurons; these are left out",
    ]


def _lengths(given: GivenArray, start: int, block: Float32[np.ndarray, "b d"]) -> np.ndarray:
    finite = np.isfinite(block).all(axis=1)
    if not finite.all():
        row = start + int(np.argmin(finite))
        raise BadInputError(f"row {row} of the {given.what} in {given.path} is not finite; compute it again")
    lengths: np.ndarray = np.linalg.norm(block.astype(np.float64), axis=1)
    if not lengths.all():
        row = start + int(np.argmin(lengths))
        raise BadInputError(f"row {row} of the {given.what} in {given.path} is all zero; compute it again")
    return lengths
