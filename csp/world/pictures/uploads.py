"""Pictures that a person uploads: checked, turned upright, freed of all metadata, and kept nowhere."""

import io
from dataclasses import dataclass

from PIL import Image

from csp.world.pictures.decode import DECODER_ERRORS, FORMATS, MOVING, UnreadableImageError, decode_picture

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 25_000_000
KEPT_PIXELS = MOST_PIXELS // 4
"""A tab keeps its picture; models look at far fewer."""


@dataclass(frozen=True)
class Upload:
    """An upright RGB picture without metadata, and what a person should know of how it was read."""

    image: Image.Image
    remark: str


def read_upload(data: bytes) -> Upload:
    """Decode an uploaded picture.

    Raises UnreadableImageError, in one sentence, for what is no picture, is damaged, moves, has more than
    `MOST_BYTES` bytes, or more than `MOST_PIXELS` pixels (told from its head, before it is unpacked).
    """
    if len(data) > MOST_BYTES:
        raise UnreadableImageError(
            f"The file has {len(data) / 2**20:.0f} MB: a picture to try may have {MOST_BYTES / 2**20:.0f} MB."
        )
    head = _of_head(data)
    picture = decode_picture(data, MOST_PIXELS)
    image = picture.image
    while image.width * image.height > KEPT_PIXELS:
        image = image.reduce(2)
    remarks = [f"The picture {remark}." for remark in picture.remarks]
    if image.width * image.height < head.pixels:
        remarks.append(f"The picture was made smaller, to {image.width} x {image.height} pixels.")
    return Upload(image, " ".join([*remarks, *([head.remark] if head.remark else [])]))


@dataclass(frozen=True)
class _Head:
    pixels: int = 0
    remark: str = ""


def _of_head(data: bytes) -> _Head:
    """What the head of the file says; nothing of a damaged one, which `decode_picture` refuses."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as head:
            frames, kind, mode = getattr(head, "n_frames", 1), head.format, head.mode
            pixels = head.width * head.height
    except (*DECODER_ERRORS, Image.DecompressionBombError):
        return _Head()
    if kind in MOVING and frames > 1:
        raise UnreadableImageError(f"The picture moves ({frames} frames): upload a still one.")
    if mode == "CMYK":
        return _Head(
            pixels, "The picture is made for print (CMYK), so its colours may look other than meant."
        )
    return _Head(pixels)
