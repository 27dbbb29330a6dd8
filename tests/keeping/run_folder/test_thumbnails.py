"""Thumbnails are small, plain, and come back from the pack byte by byte."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from csp.errors import BadRunError, NotFoundError
from csp.keeping.run_folder.thumbnails import (
    PACK_NAME,
    SIZES,
    ThumbnailPack,
    Thumbnails,
    make_thumbnails,
    write_pack,
)

PAIRS = st.lists(st.builds(Thumbnails, small=st.binary(max_size=9), large=st.binary(max_size=9)), max_size=6)


@settings(max_examples=15)
@given(width=st.integers(1, 900), height=st.integers(1, 900))
def test_shrunk_in_proportion_and_never_enlarged(width: int, height: int) -> None:
    made = make_thumbnails(Image.new("RGB", (width, height), (200, 90, 80)))
    for size, longest_side in SIZES.items():
        picture = Image.open(io.BytesIO(getattr(made, size)))
        scale = min(1, longest_side / max(width, height))
        assert max(picture.size) == min(longest_side, max(width, height))
        assert min(picture.size) == pytest.approx(max(1, scale * min(width, height)), abs=1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_plain_webp_whatever_came_in(mode: str) -> None:
    image = Image.new("RGB", (500, 400), (200, 90, 80)).convert(mode)
    exif = Image.Exif()
    exif[0x010F] = "the camera's serial number"
    image.info |= {"exif": exif.tobytes(), "icc_profile": b"a profile", "xmp": b"<name of the patient/>"}
    for data in vars(make_thumbnails(image)).values():
        picture = Image.open(io.BytesIO(data))
        assert (picture.format, picture.mode) == ("WEBP", "RGB")
        assert not {"exif", "icc_profile", "xmp"} & picture.info.keys()
        assert b"serial" not in data


@settings(max_examples=20)
@given(pairs=PAIRS)
def test_pack_gives_back_what_was_put_in(pairs: list[Thumbnails], tmp_path: Path) -> None:
    write_pack(tmp_path, pairs)
    pack = ThumbnailPack.open(tmp_path)
    assert len(pack) == len(pairs)
    for image, pair in enumerate(pairs):
        for size in SIZES:
            if getattr(pair, size):
                assert pack.read(image, size) == getattr(pair, size)
            else:
                with pytest.raises(NotFoundError, match=f"image {image} has no thumbnail"):
                    pack.read(image, size)


def test_a_pack_that_does_not_fit_its_table(tmp_path: Path) -> None:
    write_pack(tmp_path, [Thumbnails(b"small", b"large")])
    opened = ThumbnailPack.open(tmp_path)
    (tmp_path / PACK_NAME).write_bytes(b"smallla")
    with pytest.raises(BadRunError, match="was cut short"):
        opened.read(0, "large")
    with pytest.raises(BadRunError, match=r"thumbnails\.bin has 7 bytes, its table says 10"):
        ThumbnailPack.open(tmp_path)
