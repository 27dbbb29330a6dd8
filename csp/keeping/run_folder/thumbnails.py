"""Thumbnails: two WebP pictures per image, all packed in one file with a table of offsets."""

import io
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64, UInt32
from PIL import Image

from csp.errors import BadRunError, NotFoundError
from csp.keeping import atomic

Size = Literal["small", "large"]
SIZES: dict[Size, int] = {"small": 180, "large": 448}
"""Longest side in pixels; an image smaller than that keeps its size."""

PACK_NAME = "thumbnails.bin"
OFFSETS_NAME = "thumbnails.npy"
SUMS_NAME = "thumbnails-sums.npy"
"""Since schema 3: the CRC-32 of each picture, as a pack may be too large to be hashed before it is shown."""


@dataclass(frozen=True)
class Thumbnails:
    """The two encoded pictures of one image; both empty when there is no picture."""

    small: bytes = b""
    large: bytes = b""


def make_thumbnails(image: Image.Image) -> Thumbnails:
    """Both thumbnails of an upright image, as RGB WebP without EXIF, XMP or colour profile.

    Method 2 of the encoder: half the bytes of a JPEG of quality 85 for 1-2 ms more.
    """
    large = _shrink(image.convert("RGB"), SIZES["large"])
    return Thumbnails(small=_encode(_shrink(large, SIZES["small"])), large=_encode(large))


def shrunk(picture: bytes, longest_side: int) -> bytes:
    """A picture of the pack made smaller still, for a file that holds thousands of them.

    JPEG: it goes into a PDF as it is, where any other format is unpacked and takes ten times the room.
    """
    with Image.open(io.BytesIO(picture)) as image:
        file = io.BytesIO()
        _shrink(image.convert("RGB"), longest_side).save(file, "JPEG", quality=75, optimize=True)
        return file.getvalue()


def _shrink(image: Image.Image, longest_side: int) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return smaller


def _encode(image: Image.Image) -> bytes:
    plain = Image.frombytes("RGB", image.size, image.tobytes())
    file = io.BytesIO()
    plain.save(file, "WEBP", quality=80, method=2)
    return file.getvalue()


def write_pack(folder: Path, thumbnails: Iterable[Thumbnails]) -> None:
    """Write the pack (small, large, small, large, ...), its checksums, then offsets, which make it valid."""
    offsets, sums = array("q", [0]), array("I")
    with (folder / PACK_NAME).open("wb") as pack:
        for picture in (picture for pair in thumbnails for picture in (pair.small, pair.large)):
            pack.write(picture)
            offsets.append(offsets[-1] + len(picture))
            sums.append(zlib.crc32(picture))
    atomic.sync(folder / PACK_NAME)
    atomic.write_bytes(folder / SUMS_NAME, _npy(np.asarray(sums, dtype=np.uint32)))
    atomic.write_bytes(folder / OFFSETS_NAME, _npy(np.asarray(offsets, dtype=np.int64)))


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


@dataclass(frozen=True, eq=False)
class ThumbnailPack:
    """The pack of one run; reading a thumbnail is one look-up and one read at its place.

    The file is not mapped into memory: one cut short while mapped would kill the process.
    """

    path: Path
    offsets: Int64[np.ndarray, " m"]
    sums: UInt32[np.ndarray, " pictures"] | None = None
    """Of a run of schema 1 or 2: None."""

    @classmethod
    def open(cls, folder: Path) -> "ThumbnailPack":
        """Open the pack in `folder`; BadRunError when it is damaged or does not fit its table."""
        try:
            offsets = np.load(folder / OFFSETS_NAME, allow_pickle=False)
            summed = (folder / SUMS_NAME).is_file()
            sums = np.load(folder / SUMS_NAME, allow_pickle=False) if summed else None
            size = (folder / PACK_NAME).stat().st_size
        except (OSError, ValueError, EOFError, MemoryError, OverflowError, TypeError) as error:
            raise BadRunError(
                f"the thumbnails of {folder} can't be read ({error}): copy the run again"
            ) from None
        if problem := _problem(offsets, size, sums):
            raise BadRunError(f"the thumbnails of {folder} are damaged ({problem}): copy the run again")
        return cls(folder / PACK_NAME, offsets, sums)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.offsets) // 2

    def read(self, image: int, size: Size) -> bytes:
        """The WebP file of one image; NotFoundError when it has no picture, BadRunError when it is gone."""
        if not 0 <= image < len(self):
            raise NotFoundError(f"there is no image {image}: the run has {len(self)}, counted from 0")
        row = 2 * image + (size == "large")
        first, last = int(self.offsets[row]), int(self.offsets[row + 1])
        if first == last:
            raise NotFoundError(f"image {image} has no thumbnail")
        try:
            with self.path.open("rb", buffering=0) as pack:
                pack.seek(first)
                picture = pack.read(last - first)
        except OSError as error:
            raise BadRunError(f"{self.path} can't be read ({error.strerror}): copy the run again") from None
        if len(picture) != last - first:
            raise BadRunError(f"{self.path} was cut short: copy the run again")
        if self.sums is not None and zlib.crc32(picture) != self.sums[row]:
            raise BadRunError(f"the {size} picture {image} in {self.path} was changed: copy the run again")
        return picture


def _problem(offsets: np.ndarray, size: int, sums: np.ndarray | None) -> str | None:
    if not isinstance(offsets, np.ndarray):
        return "offsets that are no array"
    if offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) % 2 == 0:
        return f"offsets of shape {offsets.shape} and type {offsets.dtype}"
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        return "offsets out of order"
    if offsets[-1] != size:
        return f"{PACK_NAME} has {size} bytes, its table says {offsets[-1]}"
    if sums is not None and not isinstance(sums, np.ndarray):
        return "checksums that are no array"
    if sums is not None and (sums.dtype != np.uint32 or sums.shape != (len(offsets) - 1,)):
        return f"checksums of shape {sums.shape} and type {sums.dtype}"
    return None
