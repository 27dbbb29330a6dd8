"""What people upload by mistake or on purpose."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from csp.world.pictures.decode import UnreadableImageError
from csp.world.pictures.uploads import MOST_BYTES, read_upload


def saved(image: Image.Image, kind: str, **more: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A small PNG whose head promises side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def film(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 not a picture", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"\0" * (MOST_BYTES + 1), "20 MB"),
        (bomb(10_000), "too large"),
        (bomb(60_000), "too large"),
        (film("GIF"), "moves .3 frames"),
        (film("WEBP"), "moves .3 frames"),
        (film("PNG"), "moves .3 frames"),
        (saved(Image.new("RGB", (4000, 8)), "PNG"), "too thin"),
        (saved(Image.effect_noise((64, 64), 80).convert("RGB"), "JPEG")[:-200], "damaged or cut off"),
    ],
)
def test_each_gets_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableImageError, match=said) as raised:
        read_upload(data)
    assert str(raised.value).endswith(".")


def test_a_picture_for_print_is_taken_and_said() -> None:
    found = read_upload(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert "CMYK" in found.remark
    red, green, blue = np.asarray(found.image)[0, 0].astype(int)
    assert red > green
    assert red > blue


def test_exif_turns_the_picture_and_goes() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "PATIENT Jane Doe"
    picture = Image.new("RGB", (16, 8))
    picture.paste("white", (0, 0, 8, 8))
    found = read_upload(saved(picture, "JPEG", exif=exif, quality=95))
    assert found.image.size == (8, 16)
    assert np.asarray(found.image)[0].mean() > np.asarray(found.image)[-1].mean()
    assert not found.image.info
    assert b"Jane" not in saved(found.image, "PNG")
    assert found.remark == ""
