"""Reads any image file that people have as 8-bit RGB, upright, or says in words why it can't be used.

Colour profiles are not applied: models are trained on pixels as stored.
"""

from pathlib import Path

from PIL import Image

from csp.errors import CspError

# Pillow's own first limit, so that its warning and our refusal agree and no global has to change.
MAX_PIXELS = 89_478_485
# Models scale the short side to their input size: a 1 x 50,000 image would become one of gigabytes.
MAX_ASPECT = 100
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")


class UnreadableImageError(CspError):
    """An image file can't be used; the message is the reason, in words."""


def read_image(path: Path | str) -> Image.Image:
    """Read an image file as RGB with the EXIF orientation applied. Raises `UnreadableImageError`."""
    raise NotImplementedError


def decode_image(data: bytes) -> Image.Image:
    """Decode the bytes of an image file as `read_image` does. Raises `UnreadableImageError`."""
    raise NotImplementedError
