"""Pictures in DICOM files, as a viewer would show them; of the person nothing is read, kept or said.

Grey values go through the modality table, then the VOI table or window (PS3.3 C.11.2.1), and are turned round
where they are MONOCHROME1; palettes and YBR become RGB. What pydicom says of a damaged file is not passed on,
since it may quote the file.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import pydicom
from jaxtyping import Bool, Float64, Shaped
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, pixel_array

from csp.world.pictures.decode import UnreadableImageError, check_size
from csp.world.pictures.deep_pixels import to_8_bit

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
PALETTE = "PALETTE COLOR"
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
DEFLATED = b"1.2.840.10008.1.2.1.99"
"""A file packed as a whole: how large it grows is known only afterwards."""

# Both quote what stands in the file.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom\.")


def read_dicom(file: IO[bytes], most: int, chosen: int | None = None) -> tuple[Image.Image, tuple[str, ...]]:
    """The chosen frame as RGB, else the first, with remarks. Raises `UnreadableImageError`."""
    header, frame = read_header(file), chosen or 0
    with not_quoting(header):
        _check(header, most, frame)
        file.seek(0)
        image, remarks = _shown(pixel_array(file, index=frame), header, frame)
        frames = frame_count(header)
    more = (f"had {frames} frames, of which the first was taken",) if frames > 1 and chosen is None else ()
    return image.convert("RGB"), (*remarks, *more)


def _shown(
    pixels: Shaped[np.ndarray, "h w *c"], header: pydicom.Dataset, frame: int
) -> tuple[Image.Image, tuple[str, ...]]:
    kind = str(header.PhotometricInterpretation).strip()
    if kind in GREY:
        return _grey(pixels, header, kind, frame)
    if kind == PALETTE:
        return Image.fromarray(_bytes_of(apply_color_lut(pixels, header))), ()
    whole, remark = to_8_bit(pixels, int(header.BitsStored))
    return Image.fromarray(whole), (remark,) if remark else ()


def read_header(file: IO[bytes]) -> pydicom.Dataset:
    """All but the pixels. Raises `UnreadableImageError`."""
    file.seek(0)
    if DEFLATED in file.read(2048):
        raise UnreadableImageError("This is a DICOM file that is packed as a whole: save it unpacked.")
    file.seek(0)
    with not_quoting():
        header = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        if not len(header):
            raise UnreadableImageError("The DICOM file is damaged or cut off: nothing stands in it.")
        return header


@contextmanager
def not_quoting(header: pydicom.Dataset | None = None) -> Iterator[None]:
    """Whatever pydicom raises of a damaged file, also when an element is first looked at, in our words:
    `UnreadableImageError`."""
    try:
        yield
    except UnreadableImageError:
        raise
    except Exception as error:  # noqa: BLE001 # its messages hold what stands in the file
        raise UnreadableImageError(_fault(header, error)) from None


def frame_count(header: pydicom.Dataset) -> int:
    """How many frames there are."""
    with not_quoting():
        return max(1, int(header.get("NumberOfFrames") or 1))


def _check(header: pydicom.Dataset, most: int, frame: int) -> None:
    kind = str(header.get("PhotometricInterpretation", "")).strip()
    if "Rows" not in header or "Columns" not in header or not kind:
        raise UnreadableImageError(f"The DICOM file holds no picture{_what(header)}.")
    if kind not in (*GREY, *COLOUR, PALETTE):
        raise UnreadableImageError(
            "The DICOM picture has colours of a kind that is not read here: save it as RGB."
        )
    check_size(int(header.Columns), int(header.Rows), most)
    if frame >= frame_count(header):
        raise UnreadableImageError(f"The DICOM file has no frame {frame + 1}.")


def _what(header: pydicom.Dataset) -> str:
    """What it holds instead, by the standard's own name."""
    try:
        kind = header.get("SOPClassUID")
        name = str(getattr(kind, "name", ""))
    except Exception:  # noqa: BLE001 # damaged, too
        return ""
    return f", but is of the kind {name}" if name and name != str(kind) else ""


def _fault(header: pydicom.Dataset | None, error: BaseException) -> str:
    if header is None:
        return "The DICOM file is damaged or cut off."
    syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
    name = getattr(syntax, "name", "")
    if isinstance(error, AttributeError) and any(word in str(error) for word in PIXELS):
        return f"The DICOM file holds no picture{_what(header)}."
    if isinstance(error, RuntimeError | NotImplementedError) and getattr(syntax, "is_compressed", False):
        return (
            f"The DICOM picture can't be unpacked ({name}): it is damaged, or packed in a way that nothing "
            "installed here reads; save it unpacked."
        )
    return "The DICOM file is damaged or cut off."


def _grey(
    pixels: Shaped[np.ndarray, "h w"], header: pydicom.Dataset, kind: str, frame: int
) -> tuple[Image.Image, tuple[str, ...]]:
    """Grey values as a viewer shows them, black to white."""
    transform = _group(header, frame, "PixelValueTransformationSequence")
    values = apply_modality_lut(pixels, transform)
    voi = _group(header, frame, "FrameVOILUTSequence")
    remark = None
    if voi.get("VOILUTSequence"):
        depth = int(voi.VOILUTSequence[0].LUTDescriptor[2])
        shown = apply_voi(np.rint(values).astype(np.int32), voi) / (2.0**depth - 1)
    elif (window := _window(voi)) is not None:
        shown = windowed(np.asarray(values, dtype=np.float64), *window)
    elif pixels.dtype.kind == "u" and values is pixels and int(header.BitsStored) >= 8:
        whole, remark = to_8_bit(pixels, int(header.BitsStored))
        shown = whole.reshape(pixels.shape) / 255.0
    else:
        shown, remark = _own_range(np.asarray(values, dtype=np.float64), ~_padding(pixels, header), header)
    shown = 1.0 - shown if kind == "MONOCHROME1" else shown
    grey = np.rint(np.clip(shown, 0.0, 1.0) * 255).astype(np.uint8)
    return Image.fromarray(grey), (remark,) if remark else ()


def _group(header: pydicom.Dataset, frame: int, name: str) -> pydicom.Dataset:
    """Where a setting of a frame stands: with the frame, with all frames, or in the file itself."""
    each = header.get("PerFrameFunctionalGroupsSequence") or ()
    groups = [*each[frame : frame + 1], *(header.get("SharedFunctionalGroupsSequence") or ())]
    return next((group[name][0] for group in groups if group.get(name)), header)


def _window(voi: pydicom.Dataset) -> tuple[float, float, str] | None:
    """Centre, width and function of the first window."""
    centre, width = (_first(voi.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width <= 0:
        return None
    return centre, width, str(voi.get("VOILUTFunction") or "LINEAR").strip().upper()


def _first(value: Any) -> float | None:
    try:
        return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)
    except (TypeError, ValueError, IndexError):
        return None


def windowed(
    values: Float64[np.ndarray, "h w"], centre: float, width: float, function: str
) -> Float64[np.ndarray, "h w"]:
    """Grey values through a window, 0 to 1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700, 700))))
    if function == "LINEAR_EXACT":
        return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))
    if width <= 1:
        return np.asarray((values > centre - 0.5).astype(np.float64))
    return np.asarray(np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0.0, 1.0))


def _own_range(
    values: Float64[np.ndarray, "h w"], inside: Bool[np.ndarray, "h w"], header: pydicom.Dataset
) -> tuple[Float64[np.ndarray, "h w"], str | None]:
    """Values of a picture without a window, by the range that they use inside of it."""
    bits = int(header.get("BitsStored") or 0)
    if 0 < bits < 8:
        return values / (2.0**bits - 1), None
    finite = values[np.isfinite(values) & inside]
    if not finite.size:
        raise UnreadableImageError("The DICOM picture has no pixels that are numbers.")
    low, high = float(finite.min()), float(finite.max())
    shown = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0), 0.0, 1.0)
    return shown, "had no window, so its grey values were scaled by their own range"


def _padding(pixels: Shaped[np.ndarray, "h w"], header: pydicom.Dataset) -> Bool[np.ndarray, "h w"]:
    """Where the file says that pixels only fill the frame up; nowhere, if that were all of it."""
    value, limit = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if value is None or pixels.dtype.kind not in "iu":
        return np.zeros(pixels.shape, np.bool_)
    first, last = (
        int(np.array(int(end)).astype(pixels.dtype))  # signed pixels may have it written without a sign
        for end in (value, value if limit is None else limit)
    )
    found = (pixels >= min(first, last)) & (pixels <= max(first, last))
    return found & ~found.all()


def _bytes_of(pixels: Shaped[np.ndarray, "h w 3"]) -> Shaped[np.ndarray, "h w 3"]:
    """Palettes hold 16 bits a colour, though some fill only the lower 8."""
    if pixels.dtype == np.uint8:
        return pixels
    return (pixels >> 8 if pixels.max() > 255 else pixels).astype(np.uint8)
