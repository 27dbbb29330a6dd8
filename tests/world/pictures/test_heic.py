"""Pictures as phones save them."""

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from csp.world.pictures import decode
from csp.world.pictures.decode import UnreadableImageError, decode_image, read_picture

pillow_heif = pytest.importorskip("pillow_heif")


def heic(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=-1, **options)
    return file.getvalue()


def halves() -> Image.Image:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48] = (200, 40, 40)
    return Image.fromarray(pixels)


def test_a_heic_picture_is_read_upright(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(heic(halves()))
    picture = read_picture(tmp_path / "IMG_1.HEIC")
    assert picture.image.size == (96, 64)
    assert np.abs(np.asarray(picture.image).astype(int) - np.asarray(halves())).mean() < 4
    exif = Image.Exif()
    exif[274] = 6
    turned = decode_image(heic(halves(), exif=exif.tobytes()))
    assert turned.size == (64, 96)
    assert turned.getpixel((32, 10))[0] > 150 > turned.getpixel((32, 90))[0]  # type: ignore[index]


def test_one_that_is_cut_off_is_left_out_in_a_sentence() -> None:
    data = heic(halves())
    with pytest.raises(UnreadableImageError, match=r"damaged|can't be read"):
        decode_image(data[: len(data) // 2])


def test_without_the_library_a_sentence_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def lacking(name: str, *rest: Any) -> Any:
        if name == "pillow_heif":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *rest)

    decode._open_heic.cache_clear()
    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(UnreadableImageError, match=r"pip install 'csp-explorer\[heic\]'"):
        decode_image(heic(halves()))
