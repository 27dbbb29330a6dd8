"""Pictures that a person uploads: checked, turned upright, freed of all metadata, and kept nowhere."""

import io
from dataclasses import dataclass

from PIL import Image

from csp.world.pictures.decode import DECODER_ERRORS, FORMATS, MOVING, UnreadableImageError, decode_picture

MOST_BYTES = 20 * 2**20


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
    picture = decode_picture(data)
    print_colours = _print_colours(data)
    remarks = [f"The picture {remark}." for remark in picture.remarks]
    return Upload(picture.image, " ".join([*remarks, *([print_colours] if print_colours else [])]))


def _print_colours(data: bytes) -> str:
    """What the head of the file says; nothing of a damaged one, which `decode_picture` refuses."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as head:
            frames, kind, mode = getattr(head, "n_frames", 1), head.format, head.mode
    except DECODER_ERRORS:
        return ""
    if kind in MOVING and frames > 1:
        raise UnreadableImageError(f"The picture moves ({frames} frames): upload a still one.")
    if mode == "CMYK":
        return "The picture is made for print (CMYK), so its colours may look other than meant."
    return ""
