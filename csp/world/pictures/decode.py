"""Reads any image file that people have as upright 8-bit RGB, or says in words why it can't be used.

Colour profiles are not applied: models are trained on pixels as stored.
"""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float64, Shaped
from PIL import ExifTags, Image, UnidentifiedImageError

from csp.errors import CspError

# Pillow's own first limit, so that its warning and our refusal agree and no global has to change.
MAX_PIXELS = 89_478_485
# Models scale the short side to their input size: a 1 x 50,000 image would become one of gigabytes.
MAX_ASPECT = 100
# Still images only: Pillow would also run Ghostscript on EPS and unpack containers such as PSD and ICNS.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")

# What Pillow's decoders raise on damaged files; `Warning` where a program turns warnings into errors.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Warning,
)
# Pillow registers some formats on demand only: done here, before threads begin to read.
Image.init()

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# EXIF 2.3, tag 274: how to turn the stored pixels for viewing
_TURNS: dict[int | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImageError(CspError):
    """An image file can't be used; the message is the reason, in words."""


def read_image(path: Path | str) -> Image.Image:
    """Read an image file as RGB with the EXIF orientation applied. Raises `UnreadableImageError`."""
    path = Path(path)
    try:
        _check_file(path)
        with path.open("rb") as file:
            return _decode(file)
    except OSError as error:
        raise UnreadableImageError(f"The file can't be opened ({error.strerror or error}).") from error


def decode_image(data: bytes) -> Image.Image:
    """Decode the bytes of an image file as `read_image` does. Raises `UnreadableImageError`."""
    return _decode(io.BytesIO(data))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UnreadableImageError("This is a folder, not an image file.")
    if path.is_file():
        return
    if path.is_symlink():
        raise UnreadableImageError("This is a link to a file that does not exist.")
    raise UnreadableImageError("This is not a file." if path.exists() else "There is no such file.")


def _decode(file: IO[bytes]) -> Image.Image:
    if file.seek(0, os.SEEK_END) == 0:
        raise UnreadableImageError("The file is empty.")
    file.seek(0)
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_size(*image.size)
            image.load()
            rgb = _to_rgb(image)
            turn = _TURNS.get(_orientation(image))
    except UnreadableImageError:
        raise
    except _TOO_LARGE as error:
        raise UnreadableImageError(_too_large()) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            "The file is not an image in a known format, or its head is damaged."
        ) from error
    except DECODER_ERRORS as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise UnreadableImageError(f"The image is damaged or cut off ({reason}).") from error
    pixels = Image.frombytes("RGB", rgb.size, rgb.tobytes())  # leaves EXIF, profiles and the open file behind
    return pixels.transpose(turn) if turn is not None else pixels


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnreadableImageError(f"The image has no pixels ({width} x {height}).")
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(_too_large(f" ({width} x {height})"))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImageError(
            f"The image is too thin ({width} x {height}): one side is over {MAX_ASPECT} times the other."
        )


def _too_large(size: str = "") -> str:
    return f"The image is too large{size}: more than {MAX_PIXELS:,} pixels."


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except DECODER_ERRORS:
        return None  # damaged EXIF says nothing about the pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB; what is transparent becomes white."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_8_bit(np.asarray(image), image.mode)).convert("RGB")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(pixels: Shaped[np.ndarray, "h w"], mode: str) -> Shaped[np.ndarray, "h w"]:
    """Scale deep grey pixels to 0..255.

    16-bit files have a known range. 32-bit and float ones do not: theirs is the smallest of 0..1 (floats
    only), 0..255 and 0..65535 that holds every pixel, else the image's own minimum to maximum.
    """
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise UnreadableImageError("The image has pixels that are not numbers.")
    low, high = _value_range(values, mode)
    if high == low:
        return np.zeros(values.shape, np.uint8)
    return np.rint((values - low) * (255.0 / (high - low))).astype(np.uint8)


def _value_range(values: Float64[np.ndarray, "h w"], mode: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    known = (
        (65535.0,) if mode.startswith("I;16") else (255.0, 65535.0) if mode == "I" else (1.0, 255.0, 65535.0)
    )
    return next(((0.0, top) for top in known if low >= 0 and high <= top), (low, high))
