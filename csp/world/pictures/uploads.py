"""Pictures that a person uploads: checked, turned upright, freed of all metadata, and kept nowhere."""

import io
from dataclasses import dataclass

from PIL import Image

from csp.world.pictures.decode import DECODER_ERRORS, FORMATS, UnreadableImageError, decode_image

MOST_BYTES = 20 * 2**20
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")
"""Formats whose further frames are a film; those of TIFF and JPEG are other pages or sizes."""


@dataclass(frozen=True)
class Upload:
    """An upright RGB picture without metadata, and what a person should know of how it was read."""

    image: Image.Image
    remark: str


def read_upload(data: bytes) -> Upload:
    """Decode an uploaded picture.

    Raises UnreadableImageError, in one sentence, for what is no picture, is damaged, moves, has more than
    `MOST_BYTES` bytes, or more pixels than `decode_image` takes (told from its head, before it is unpacked).
    """
    if len(data) > MOST_BYTES:
        raise UnreadableImageError(
            f"The file has {len(data) / 2**20:.0f} MB: a picture to try may have {MOST_BYTES / 2**20:.0f} MB."
        )
    return Upload(decode_image(data), _remark(data))


def _remark(data: bytes) -> str:
    """What the head of the file says; nothing of a damaged one, which `decode_image` refused before."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as head:
            frames, kind, mode = getattr(head, "n_frames", 1), head.format, head.mode
    except DECODER_ERRORS:
        return ""
    if kind in _MOVING and frames > 1:
        raise UnreadableImageError(f"The picture moves ({frames} frames): upload a still one.")
    if mode == "CMYK":
        return "The picture is made for print (CMYK), so its colours may look other than meant."
    return ""
