"""Pixels of more than 8 bits to 8: by the range that the file has in use."""

import numpy as np
from jaxtyping import Float32, Shaped

DEPTHS = (8, 10, 12, 14, 16)
"""Bits of cameras, microscopes and x-ray that come in 16-bit files."""
BAND = 256
"""Rows at a time."""
_FLOAT_TOPS = (1.0, 255.0, 4095.0, 65535.0)
_WHOLE_TOPS = (255.0, 4095.0, 65535.0)


class NotNumbersError(ValueError):
    """Some pixels are not finite."""


def to_8_bit(
    pixels: Shaped[np.ndarray, "h w *c"], bits: int | None = None, *, inverted: bool = False
) -> tuple[Shaped[np.ndarray, "h w *c"], str]:
    """Pixels as 0..255, and a remark where the range in use is not that of the file.

    `bits`: how many the file says it holds; None: not known. 16-bit files often hold 8, 10, 12 or 14: their
    range is the smallest of these that holds every pixel. For 32-bit and float files it is the smallest of
    0..1 (floats only), 0..255, 0..4095 and 0..65535 that does, else the picture's own minimum to maximum.
    `inverted`: 0 is white. Raises NotNumbersError.
    """
    values = pixels.astype(np.float32)
    if not np.isfinite(values).all():
        raise NotNumbersError("the image has pixels that are not numbers")
    low, high = float(values.min()), float(values.max())
    remark = ""
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
        held = _depth(high) if bits in (None, 16) and pixels.dtype.itemsize == 2 else (bits or 8)
        low, high = 0.0, float(2**held - 1)
        if held < 16 and bits in (None, 16) and pixels.dtype.itemsize == 2:
            remark = f"held {held} bits in 16, so the range in use was taken"
    else:
        tops = _FLOAT_TOPS if pixels.dtype.kind == "f" else _WHOLE_TOPS
        low, high = next(((0.0, top) for top in tops if low >= 0 and high <= top), (low, high))
    return _scaled(values, low, high, inverted), remark


def _depth(high: float) -> int:
    if high == 0:
        return 16
    return next(bits for bits in DEPTHS if high < 2**bits)


def _scaled(
    values: Float32[np.ndarray, "h w *c"], low: float, high: float, inverted: bool
) -> Shaped[np.ndarray, "h w *c"]:
    if high == low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), BAND):  # not at once: numbers of 64 bits take eight times the memory
        rows = slice(top, top + BAND)
        shares = (values[rows].astype(np.float64) - low) * (255.0 / (high - low))
        scaled[rows] = np.rint(255.0 - shares if inverted else shares)
    return scaled
