"""Reads any image file that people have as upright 8-bit RGB, or says in words why it can't be used.

Colour profiles are not applied: models are trained on pixels as stored.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Shaped
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from csp.errors import CspError, UnavailableError
from csp.extras import optional
from csp.files import open_regular
from csp.world.pictures.deep_pixels import NotNumbersError, to_8_bit
from csp.world.pictures.deep_tiff import SIGNS, UnsupportedTiffError, misread_by_pillow, read_deep_tiff
from csp.world.pictures.file_kinds import HEAD_BYTES, is_dicom, is_heic, refusal
from csp.world.pictures.png_chunks import is_png, without_texts

# Pillow's own first limit, so that its warning and our refusal agree and no global has to change.
MAX_PIXELS = 89_478_485
# Models scale the short side to their input size: a 1 x 50,000 image would become one of gigabytes.
MAX_ASPECT = 100
# Still images only: Pillow would also run Ghostscript on EPS and unpack containers such as PSD and ICNS.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")
HEIF = "HEIF"
"""As pillow-heif calls what phones save."""
MOVING = ("GIF", "WEBP", "PNG", "AVIF")
"""Formats whose further frames are a film; those of TIFF and JPEG are other pages or sizes."""
EIGHT_BITS = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
"""Modes with a byte for each channel or less."""
BYTES_OF_DEEP_PIXEL = 8
BAND = 256
"""Rows at a time."""
MOST_NAMES = 3_000
"""Of a folder in which a file of nearly the name is looked for."""
NEARLY_BLACK, NEARLY_WHITE = 15, 240

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
    AttributeError,
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
# Pillow takes the first of two bytes of deep colour; read in the other order it takes the second.
_SWAPPED = {";16B": ";16L", ";16L": ";16B", ";16N": ";16B" if struct.pack("=H", 1)[0] else ";16L"}


class UnreadableImageError(CspError):
    """An image file can't be used; the message is the reason, in words."""


@dataclass(frozen=True)
class Picture:
    """Upright RGB pixels without metadata."""

    image: Image.Image
    remarks: tuple[str, ...] = ()
    """What to know of how it was read, to follow "the picture", e.g. `came out all black`."""


def read_image(path: Path | str) -> Image.Image:
    """Read an image file as RGB with the EXIF orientation applied. Raises `UnreadableImageError`."""
    return read_picture(path).image


def read_picture(path: Path | str) -> Picture:
    """The same, with remarks."""
    path = Path(path)
    try:
        _check_file(path)
        with open_regular(path) as file:
            return _decode(file)
    except OSError as error:
        raise UnreadableImageError(f"The file can't be opened ({error.strerror or error}).") from error


def decode_image(data: bytes) -> Image.Image:
    """Decode the bytes of an image file as `read_image` does. Raises `UnreadableImageError`."""
    return decode_picture(data).image


def decode_picture(data: bytes, most_pixels: int = MAX_PIXELS) -> Picture:
    """The same, with remarks; what has more pixels is refused before it is unpacked.

    A JPEG is rather read at a half, a quarter or an eighth of its size, for that costs no more memory; deep
    pixels, which cost more, may be a quarter as many.
    """
    return _decode(io.BytesIO(data), most_pixels)


def decode_frame(data: bytes, frame: int) -> Picture:
    """One frame of a DICOM file, counted from 0. Raises `UnreadableImageError`."""
    image, remarks = _of_dicom(io.BytesIO(data), MAX_PIXELS, frame)
    return Picture(image, (*remarks, *_flat(image)))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UnreadableImageError("This is a folder, not an image file.")
    if path.is_file():
        return
    if path.exists():
        raise UnreadableImageError("This is not a file.")
    if path.is_symlink():
        raise UnreadableImageError("This is a link to a file that does not exist.")
    raise UnreadableImageError(f"There is no such file{_nearest_file(path)}.")


def _nearest_file(path: Path) -> str:
    """A file of nearly this name beside it, as a hint to append."""
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    if len(names) > MOST_NAMES or path.name in names:
        return ""
    near = get_close_matches(path.name, names, n=1, cutoff=0.8)
    return f"; {near[0]} is there" if near else ""


def _decode(file: IO[bytes], most: int = MAX_PIXELS) -> Picture:
    if file.seek(0, os.SEEK_END) == 0:
        raise UnreadableImageError("The file is empty.")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    try:
        if is_dicom(head):
            image, found = _of_dicom(file, most)
            return Picture(image, (*found, *_flat(image)))
        if is_heic(head):
            _open_heic()
        upright, remarks = _upright(without_texts(file) if is_png(head) else file, head, most)
    except UnreadableImageError:
        raise
    except _TOO_LARGE as error:
        raise UnreadableImageError(_too_large(most)) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(refusal(head)) from error
    except UnsupportedTiffError as error:
        raise UnreadableImageError(f"This is {error}: save it as an 8-bit TIFF, JPEG or PNG.") from error
    except NotNumbersError as error:
        raise UnreadableImageError("The image has pixels that are not numbers.") from error
    except DECODER_ERRORS as error:
        raise UnreadableImageError(_fault(error)) from error
    return Picture(upright, (*remarks, *_flat(upright)))


def _of_dicom(file: IO[bytes], most: int, frame: int | None = None) -> tuple[Image.Image, tuple[str, ...]]:
    """pydicom is loaded for the first DICOM file."""
    try:
        with optional():
            from csp.world.pictures.dicom import read_dicom
    except UnavailableError as error:
        raise UnreadableImageError(f"This is a DICOM file: {error}.") from None
    return read_dicom(file, most, frame)


@cache
def _open_heic() -> None:
    """Teach Pillow to read HEIC."""
    try:
        with optional():
            import pillow_heif
    except UnavailableError as error:
        raise UnreadableImageError(f"This is a HEIC picture, as phones save them: {error}.") from None
    pillow_heif.register_heif_opener()


def _fault(error: BaseException) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    if isinstance(error, NotImplementedError) or "support" in reason.lower():
        return f"The image is of a sort that can't be read here ({reason}): save it as JPEG or PNG."
    return f"The image is damaged or cut off ({reason})."


def _upright(file: IO[bytes], head: bytes, most: int) -> tuple[Image.Image, tuple[str, ...]]:
    try:
        with Image.open(file, formats=(*FORMATS, HEIF) if is_heic(head) else FORMATS) as image:
            _shrink(image, most)
            check_size(*image.size, most if most == MAX_PIXELS or image.mode in EIGHT_BITS else most // 4)
            if image.format == "TIFF" and misread_by_pillow(image):
                return _upright_tiff(file, most)
            moves = _moves(image)
            image.load()
            rgb, remarks = _to_rgb(image, file)
            turn = _TURNS.get(_orientation(image))
    except UnidentifiedImageError:
        if not head.startswith(SIGNS):
            raise
        return _upright_tiff(file, most)
    pixels = Image.new("RGB", rgb.size)  # leaves EXIF, profiles and the open file behind
    pixels.paste(rgb)
    moved = ("moved, so its first frame was taken",) if moves else ()
    return pixels.transpose(turn) if turn is not None else pixels, (*remarks, *moved)


def _upright_tiff(file: IO[bytes], most: int) -> tuple[Image.Image, tuple[str, ...]]:
    tiff = read_deep_tiff(file, BYTES_OF_DEEP_PIXEL * most)
    check_size(tiff.pixels.shape[1], tiff.pixels.shape[0], most)
    pixels, remark = to_8_bit(tiff.pixels, tiff.bits, inverted=tiff.inverted)
    image = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).convert("RGB")
    remarks = (remark,) if remark else ()
    if tiff.alpha is not None:
        image.putalpha(Image.fromarray(to_8_bit(tiff.alpha)[0]))
        image, more = _on_white(image)
        remarks = (*remarks, *more)
    turn = _TURNS.get(tiff.orientation)
    return image.transpose(turn) if turn is not None else image, remarks


def _shrink(image: Image.Image, most: int) -> None:
    """Has a JPEG read at a fraction of its size where it has too many pixels.

    Not a progressive one: its decoder holds all of it.
    """
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):
        width, height = image.size
        by = next((by for by in (1, 2, 4, 8) if width * height <= most * by * by), 8)
        if by > 1:
            image.draft(None, (width // by, height // by))  # type: ignore[arg-type] # as Pillow documents it


def check_size(width: int, height: int, most: int) -> None:
    """Raise `UnreadableImageError` for a size that is not worked with."""
    if width < 1 or height < 1:
        raise UnreadableImageError(f"The image has no pixels ({width} x {height}).")
    if width * height > most:
        raise UnreadableImageError(_too_large(most, f" ({width} x {height})"))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImageError(
            f"The image is too thin ({width} x {height}): one side is over {MAX_ASPECT} times the other."
        )


def _too_large(most: int, size: str = "") -> str:
    return f"The image is too large{size}: more than {most:,} pixels."


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except DECODER_ERRORS:
        return None  # damaged EXIF says nothing about the pixels


def _moves(image: Image.Image) -> bool:
    try:
        return image.format in MOVING and getattr(image, "n_frames", 1) > 1
    except DECODER_ERRORS:
        return False  # frames after the first are not used


def _to_rgb(image: Image.Image, file: IO[bytes]) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert any mode to RGB; what is transparent becomes white."""
    if image.mode.startswith("I") or image.mode == "F":
        tags = getattr(image, "tag_v2", {})
        bits = max(tags.get(258, (16,))) if image.mode.startswith("I;16") else None
        pixels = np.asarray(image).astype(np.asarray(image).dtype.newbyteorder("="))
        whole, remark = to_8_bit(pixels, bits, inverted=tags.get(262) == 0)
        return Image.fromarray(whole).convert("RGB"), (remark,) if remark else ()
    image, remarks = _brought_up(image, file)
    if image.has_transparency_data:
        rgb, more = _on_white(image if image.mode == "RGBA" else image.convert("RGBA"))
        return rgb, (*remarks, *more)
    return image.convert("RGB"), remarks


def _on_white(over: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    if over.getchannel("A").getextrema() == (0, 0):
        return over.convert("RGB"), ("had an alpha channel of 0 everywhere, which was left out",)
    rgb = Image.new("RGB", over.size)
    for top in range(0, over.height, BAND):  # not at once, which would take three times the memory
        band = over.crop((0, top, over.width, min(top + BAND, over.height)))
        rgb.paste(Image.alpha_composite(Image.new("RGBA", band.size, "white"), band).convert("RGB"), (0, top))
    return rgb, ()


def _brought_up(image: Image.Image, file: IO[bytes]) -> tuple[Image.Image, tuple[str, ...]]:
    """Deep colour of which Pillow took the high bytes: where these hardly say anything, the low ones, too."""
    if image.mode not in ("RGB", "RGBA") or max(top for _, top in image.getextrema()[:3]) >= 64:  # type: ignore[misc] # a pair for each channel
        return image, ()
    high = np.asarray(image)
    low = _low_bytes(file)
    if low is None or low.shape != high.shape:
        return image, ()
    deep = high.astype(np.uint16) * 256 + low
    pixels, remark = to_8_bit(deep[..., :3])
    if image.mode == "RGBA":
        alpha, _ = to_8_bit(deep[..., 3:])
        pixels = np.concatenate([pixels, alpha], axis=-1)
    return Image.fromarray(pixels), (remark,) if remark else ()


def _low_bytes(file: IO[bytes]) -> Shaped[np.ndarray, "h w c"] | None:
    """The second bytes of deep colour; None for a file of 8 bits."""
    file.seek(0)
    with Image.open(file, formats=FORMATS) as image:
        tiles = [_swapped(tile) for tile in image.tile]
        if not tiles or None in tiles:
            return None
        image.tile = [tile for tile in tiles if tile is not None]
        image.load()
        return np.asarray(image)


def _swapped(tile: ImageFile._Tile) -> ImageFile._Tile | None:
    """The tile with its bytes in the other order; None for one of 8 bits."""
    mode, *rest = tile.args if isinstance(tile.args, tuple) and tile.args else (tile.args,)
    name, order = str(mode)[:-4], str(mode)[-4:]
    if order not in _SWAPPED:
        return None
    other = name + _SWAPPED[order]
    return tile._replace(args=(other, *rest) if rest else other)


def _flat(image: Image.Image) -> tuple[str, ...]:
    """Whether nothing can be seen in the picture."""
    lows, highs = zip(*image.getextrema(), strict=True)  # type: ignore[arg-type] # a pair for each channel
    if max(highs) <= NEARLY_BLACK:
        return ("came out all black",)
    return ("came out all white",) if min(lows) >= NEARLY_WHITE else ()
