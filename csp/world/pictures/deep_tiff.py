"""TIFF files that Pillow can't read, or reads wrongly: deep planes, deep grey with alpha, float colour."""

import logging
import zlib
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from jaxtyping import Shaped
from PIL import Image

MOST_BYTES = 512 * 2**20
"""Of the unpacked pixels."""
DEFLATE = (8, 32946)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2

SIGNS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class UnsupportedTiffError(ValueError):
    """The file is sound, but of a sort that can't be read here; the message says of which."""


@dataclass(frozen=True)
class DeepTiff:
    """The first picture of a file."""

    pixels: Shaped[np.ndarray, "h w c"]
    """Colour or grey, without alpha."""
    alpha: Shaped[np.ndarray, "h w"] | None
    bits: int
    inverted: bool
    """Whether 0 is white."""
    orientation: int | None


def misread_by_pillow(image: Image.Image) -> bool:
    """Whether Pillow opens the file, yet takes planes of more than 8 bits for something else."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(284) == 2 and max(tags.get(258, (8,))) > 8 and tags.get(277, 1) > 1


def read_deep_tiff(file: IO[bytes], most_bytes: int = MOST_BYTES) -> DeepTiff:
    """Read it. Raises UnsupportedTiffError, and whatever else the library does on a damaged file."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    file.seek(0)
    with tifffile.TiffFile(file, name="picture") as tiff:  # a file may have no name
        page: Any = tiff.pages[0]
        _check(page, file, min(most_bytes, MOST_BYTES))
        pixels = page.asarray()
        if page.planarconfig == 2 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = pixels.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
        colours = 3 if page.photometric == RGB else 1
        orientation = page.tags.get(274)
        return DeepTiff(
            np.ascontiguousarray(pixels[..., :colours]),
            pixels[..., colours] if pixels.shape[-1] > colours else None,
            int(page.bitspersample),
            page.photometric == WHITE_IS_ZERO,
            None if orientation is None else int(orientation.value),
        )


def _check(page: Any, file: IO[bytes], most: int) -> None:
    """Refuse what is too large or of a sort that can't be read, before anything is unpacked."""
    width, height, samples = page.imagewidth, page.imagelength, page.samplesperpixel
    sort = f"{page.bitspersample}-bit TIFF of {samples} {'channel' if samples == 1 else 'channels'}"
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) or page.dtype is None:
        raise UnsupportedTiffError(f"a {sort} in a colour space that can't be read here")
    colours = 3 if page.photometric == RGB else 1
    if not colours <= samples <= colours + 1 or page.imagedepth != 1:
        raise UnsupportedTiffError(f"a {sort}, which is no grey or colour picture")
    if page.dtype.kind not in "uif" or page.dtype.itemsize > 8:
        raise UnsupportedTiffError(f"a {sort} of numbers that can't be read here")
    if width * height * samples * page.dtype.itemsize > most:
        raise UnsupportedTiffError(f"a {sort} of more than {most // 2**20} MB of pixels")
    if page.compression in DEFLATE:
        _check_unpacked(page, file)
    elif page.compression != 1:
        raise UnsupportedTiffError(f"a {sort} packed by {page.compression.name}, which can't be read here")


def _check_unpacked(page: Any, file: IO[bytes]) -> None:
    """Small packed parts must not unpack to more than the picture holds."""
    most = page.imagewidth * page.imagelength * page.samplesperpixel * page.dtype.itemsize + 2**20
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        unpacking = zlib.decompressobj()
        unpacking.decompress(file.read(length), most)
        if unpacking.unconsumed_tail:
            raise UnsupportedTiffError("a TIFF whose packed pixels are more than its head says")
