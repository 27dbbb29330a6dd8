"""What people upload by mistake or on purpose."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

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


def peak_of(read: str, data: Path) -> int:
    """Megabytes that a process of its own takes at the most while it reads an upload."""
    code = (
        "import resource, sys, pathlib\nfrom csp.world.pictures.uploads import read_upload\n"
        "from csp.errors import CspError\ndata = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\nbefore = peak()\n"
        "try:\n    found = read_upload(data)\n    print(*found.image.size, found.remark, file=sys.stderr)\n"
        "except CspError as error:\n    print(error, file=sys.stderr)\nprint(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True)
    assert read in done.stderr
    return int(done.stdout)


@pytest.mark.parametrize(
    ("size", "mode", "kind", "more", "said"),
    [
        ((9400, 9400), "RGBA", "PNG", {}, "too large (9400 x 9400)"),
        ((5000, 5000), "RGBA", "PNG", {}, "smaller, to 2500 x 2500"),
        ((9400, 9400), "RGB", "JPEG", {}, "smaller, to 2350 x 2350"),
        ((9400, 9400), "RGB", "JPEG", {"progressive": True}, "too large"),
        ((5000, 5000), "I;16", "PNG", {}, "too large"),
        ((2400, 2400), "I;16", "PNG", {}, "2400 2400"),
    ],
)
def test_a_small_file_takes_little_memory(
    tmp_path: Path, size: tuple[int, int], mode: str, kind: str, more: dict[str, Any], said: str
) -> None:
    file = tmp_path / "upload"
    Image.new(mode, size, 200).save(file, kind, **more)
    assert peak_of(said, file) < 320
