import io
import os
import random
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from csp.world.pictures import decode
from csp.world.pictures.decode import UnreadableImageError, decode_image, read_image

# Pillow warns of damaged metadata in files that it can read.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Truncated File Read",
    "ignore:Corrupt EXIF data",
    "ignore:Metadata Warning",
    "ignore:Possibly corrupt EXIF data",
)


PNG = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 24, height: int = 16) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(pixels)


def deep_png(pixels: np.ndarray) -> bytes:
    """A 16-bit PNG of grey, grey with alpha, colour, or colour with alpha."""
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return PNG + b"".join(chunk(*part) for part in parts)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


GREY = np.asarray(gradient().convert("L"))
COLOUR = np.asarray(gradient())
DEEP = COLOUR.astype(np.uint16) * 257
PLANES = {"photometric": "rgb", "planarconfig": "separate"}
CHANNELS = {"photometric": "minisblack", "planarconfig": "contig"}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_lossless_rgb_files_keep_every_pixel(kind: str) -> None:
    assert np.array_equal(decode_image(encoded(gradient(), kind)), gradient())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "JPEG2000"])
def test_lossy_files_come_close(kind: str) -> None:
    read = decode_image(encoded(gradient(), kind))
    assert read.mode == "RGB"
    assert np.abs(np.asarray(read, int) - np.asarray(gradient(), int)).mean() < 12


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (Image.new("L", (4, 3), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (4, 3), 1), "PNG", (255, 255, 255)),
        (Image.new("LA", (4, 3), (10, 0)), "PNG", (10, 10, 10)),
        (Image.new("RGBA", (4, 3), (200, 0, 0, 0)), "PNG", (200, 0, 0)),
        (Image.new("LA", (4, 3), (10, 255)), "PNG", (10, 10, 10)),
        (Image.new("RGBA", (4, 3), (200, 0, 0, 51)), "PNG", (244, 204, 204)),
        (Image.new("RGBA", (4, 3), (200, 0, 0, 255)), "WEBP", (200, 0, 0)),
        (Image.new("CMYK", (4, 3), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("I;16", (4, 3), 32896), "PNG", (128, 128, 128)),
        (Image.new("I;16", (4, 3), 65535), "TIFF", (255, 255, 255)),
        (Image.new("I", (4, 3), 32896), "TIFF", (128, 128, 128)),
        (Image.new("I", (4, 3), 200), "TIFF", (200, 200, 200)),
        (Image.new("F", (4, 3), 0.2), "TIFF", (51, 51, 51)),
        (Image.new("F", (4, 3), 51.0), "TIFF", (51, 51, 51)),
    ],
)
def test_every_mode_becomes_the_colour_it_means(
    image: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    read = decode_image(encoded(image, kind, **options))
    assert read.size == (4, 3)
    assert np.abs(np.asarray(read, int) - expected).max() <= 1


def test_adobe_cmyk_jpeg_is_not_a_negative() -> None:
    read = np.asarray(decode_image(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")), int)
    assert np.abs(read - (255, 0, 0)).max() < 6


def test_ycbcr_tiff_becomes_rgb() -> None:
    read = np.asarray(decode_image(encoded(gradient().convert("YCbCr"), "TIFF", compression="raw")), int)
    assert np.abs(read - np.asarray(gradient(), int)).max() < 6


def test_a_transparent_palette_entry_becomes_white() -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([0, 0, 0, 0, 90, 0])
    image.putpixel((3, 2), 0)
    for kind in ("PNG", "GIF"):
        read = decode_image(encoded(image, kind, transparency=1))
        assert (read.getpixel((0, 0)), read.getpixel((3, 2))) == ((255, 255, 255), (0, 0, 0))
    assert decode_image(encoded(image, "PNG")).getpixel((0, 0)) == (0, 90, 0)


def test_sixteen_bit_steps_are_kept_apart_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    read = np.asarray(decode_image(encoded(Image.fromarray(ramp), "PNG")))
    assert np.array_equal(read[0, :, 0], np.arange(256))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "planes"])
def test_bits_in_sixteen_are_scaled_by_the_range_in_use(bits: int, channels: int, kind: str) -> None:
    if kind == "planes" and channels == 1:
        pytest.skip("one channel has no planes")
    true = GREY[..., None].repeat(min(channels, 3), axis=-1).astype(np.int64)
    full = np.full((*GREY.shape, 1), 255)
    deep = (np.dstack([true, full]) if channels == 4 else true) * (2**bits - 1) // 255
    read = decode.decode_picture(deep_file(deep.astype(np.uint16), kind))
    assert np.abs(np.asarray(read.image, int) - GREY[..., None]).max() <= 1
    assert any(f"{bits} bits in 16" in remark for remark in read.remarks) == (bits < 16)


def deep_file(pixels: np.ndarray, kind: str) -> bytes:
    """A PNG, or a TIFF that is chunky or in planes."""
    if kind == "PNG":
        return deep_png(pixels)
    channels = pixels.shape[-1]
    if channels == 1:
        return tiff(pixels[..., 0], photometric="minisblack")
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    if kind == "planes":
        return tiff(np.moveaxis(pixels, -1, 0), photometric="rgb", planarconfig="separate", **extra)
    return tiff(pixels, photometric="rgb", planarconfig="contig", **extra)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (tiff(65535 - GREY.astype(np.uint16) * 257, photometric="miniswhite"), GREY),
        (tiff(255 - GREY, photometric="miniswhite"), GREY),
        (tiff((COLOUR / 255).astype(np.float32), photometric="rgb"), COLOUR),
        (tiff(COLOUR.astype(np.float32), photometric="rgb", byteorder=">"), COLOUR),
        (tiff((GREY / 255).astype(np.float64), photometric="minisblack"), GREY),
        (tiff(DEEP, photometric="rgb", byteorder=">"), COLOUR),
        (tiff(np.moveaxis(DEEP, -1, 0), compression="zlib", byteorder=">", **PLANES), COLOUR),
        (tiff(np.dstack([DEEP[..., 0], DEEP[..., 0] | 65535]), extrasamples=["unassalpha"], **CHANNELS),
         COLOUR[..., 0]),
        (tiff(GREY.astype(np.uint32) * 16, photometric="minisblack"), GREY * 16.0 * 255 / 4095),
    ],
)  # fmt: skip
def test_tiffs_of_other_programs_keep_their_pixels(data: bytes, expected: np.ndarray) -> None:
    seen = expected if expected.ndim == 3 else expected[..., None].repeat(3, axis=-1)
    assert np.abs(np.asarray(decode_image(data), float) - seen).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "options", "reason"),
    [
        (np.zeros((8, 8, 5), np.uint16), CHANNELS, "5 channels"),
        (np.zeros((8, 8), np.complex64), {"photometric": "minisblack"}, "numbers that can't be read"),
    ],
)  # fmt: skip
def test_tiffs_that_are_no_pictures_say_of_which_sort_they_are(
    pixels: np.ndarray, options: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnreadableImageError, match=reason) as refused:
        decode_image(tiff(pixels, **options))
    assert "damaged" not in str(refused.value)


def test_packed_planes_that_unpack_to_more_than_they_say_are_refused() -> None:
    planes = np.zeros((3, 64, 64), np.uint16)
    data = bytearray(tiff(planes, photometric="rgb", planarconfig="separate", compression="zlib"))
    bomb = zlib.compress(bytes(50 * 2**20))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        page = opened.pages[0]
        tags = [page.tags["StripOffsets"], page.tags["StripByteCounts"]]
    struct.pack_into("<I", data, tags[0].valueoffset, len(data))
    struct.pack_into("<I", data, tags[1].valueoffset, len(bomb))
    with pytest.raises(UnreadableImageError):
        decode_image(bytes(data) + bomb)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(b"x" * 3_000_000)),
        chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(b"y" * 3_000_000)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"y" * 80_000_000)),
        chunk(b"tEXt", b"Comment\0" + b"z" * 5_000_000) * 3,
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_long_metadata_does_not_matter(extra: bytes, before: bool) -> None:
    exif = Image.Exif()
    exif[274] = 3
    data = encoded(gradient(), "PNG", exif=exif)
    place = 33 if before else data.index(b"IEND") - 4
    read = decode_image(data[:place] + extra + data[place:])
    assert np.array_equal(read, gradient().rotate(180))


NO_ALPHA = "had an alpha channel of 0 everywhere, which was left out"


@pytest.mark.parametrize(
    ("image", "options", "remark"),
    [
        (Image.new("L", (8, 8), 3), {}, ("came out all black",)),
        (Image.new("RGB", (8, 8), (250, 255, 251)), {}, ("came out all white",)),
        (Image.new("RGBA", (8, 8), (90, 9, 9, 0)), {}, (NO_ALPHA,)),
        (gradient(), {"save_all": True, "append_images": [gradient().rotate(180)]},
         ("moved, so its first frame was taken",)),
        (gradient(), {}, ()),
    ],
)  # fmt: skip
def test_what_to_know_of_a_picture_is_remarked(
    image: Image.Image, options: dict[str, object], remark: tuple[str, ...]
) -> None:
    assert decode.decode_picture(encoded(image, "PNG", **options)).remarks == remark


def test_values_outside_every_known_range_are_stretched() -> None:
    ramp = np.linspace(-1000, 3000, 5, dtype=np.float32)[None]
    read = np.asarray(decode_image(encoded(Image.fromarray(ramp), "TIFF")))
    assert read[0, :, 0].tolist() == [0, 64, 128, 191, 255]


def test_pixels_that_are_not_numbers_are_refused() -> None:
    broken = Image.fromarray(np.full((4, 4), np.nan, np.float32))
    with pytest.raises(UnreadableImageError, match="not numbers"):
        decode_image(encoded(broken, "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    stored = gradient()
    quality = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    read = np.asarray(decode_image(encoded(stored, kind, exif=exif, **quality)), int)
    # EXIF: where row 0 and column 0 of the stored pixels are in the picture as seen
    pixels = np.asarray(stored, int)
    seen = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    seen = seen[:, ::-1] if orientation in (2, 3, 6, 7) else seen
    seen = seen[::-1] if orientation in (3, 4, 7, 8) else seen
    assert read.shape == seen.shape
    assert np.abs(read - seen).mean() < 8


def test_an_orientation_that_means_nothing_is_ignored() -> None:
    exif = Image.Exif()
    exif[274] = 99
    assert np.array_equal(decode_image(encoded(gradient(), "PNG", exif=exif)), gradient())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_their_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert decode_image(data).getpixel((4, 4)) == (255, 0, 0)


def test_nothing_of_the_metadata_stays() -> None:
    exif = Image.Exif()
    exif[315] = "Jane Doe"
    read = decode_image(encoded(gradient(), "JPEG", exif=exif, comment=b"secret", icc_profile=b"x" * 200))
    assert not read.info
    assert not read.getexif()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"not an image at all", "not an image"),
        ("page.png", b"<html><body>404</body></html>", "not an image"),
        ("vector.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        ("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC file of a sort that can't be read"),
        ("other.jpg", b"\0\0\0\x18ftypmif1\0\0\0\0heix", "a HEIC file"),
        ("pointer.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"),
        ("scan.png", bytes(128) + b"DICM" + bytes(90), "The DICOM file"),
        ("drawing.png", b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "an SVG drawing"),
        ("archive.jpg", b"PK\x03\x04" + bytes(40), "a zip archive"),
        ("film.jpg", b"\0\0\0\x18ftypmp42" + bytes(40), "a film"),
        ("noise.jpg", bytes(range(256)), "of no known format"),
        ("head.png", b"\x89PNG\r\n\x1a\n" + bytes(60), "a PNG file of a sort that can't be read"),
    ],
)
def test_files_that_are_no_images_say_so(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableImageError, match=reason):
        read_image(tmp_path / name)


def test_paths_that_are_no_files_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, reason in [
        ("folder.jpg", "a folder"),
        ("lost.jpg", "a link to a file that does not exist"),
        ("pipe.jpg", "not a file"),
        ("absent.jpg", "no such file"),
        ("Pipe.jpg", "no such file; pipe.jpg is there"),
        ("x" * 300, "can't be opened"),
    ]:
        with pytest.raises(UnreadableImageError, match=reason):
            read_image(tmp_path / name)


def test_a_link_to_an_image_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(encoded(gradient(), "PNG"))
    (tmp_path / "link.png").symlink_to("real.png")
    assert np.array_equal(read_image(tmp_path / "link.png"), gradient())


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of one pixel whose head claims another size: small on disk, huge when decoded."""
    data = bytearray(encoded(Image.new("L", (1, 1)), "PNG"))
    data[16:24] = width.to_bytes(4) + height.to_bytes(4)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    return bytes(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9460, 12_000, 60_000])
def test_decompression_bombs_are_refused_with_and_without_warnings(side: int) -> None:
    with pytest.raises(UnreadableImageError, match="too large"):
        decode_image(png_claiming(side, side))


def test_bombs_are_refused_where_warnings_are_errors() -> None:
    with pytest.raises(UnreadableImageError, match="too large"):
        decode_image(png_claiming(12_000, 12_000))


def test_thin_images_are_read_up_to_a_limit() -> None:
    assert decode_image(encoded(Image.new("RGB", (100, 1)), "PNG")).size == (100, 1)
    with pytest.raises(UnreadableImageError, match=r"too thin \(1 x 101\)"):
        decode_image(encoded(Image.new("RGB", (1, 101)), "PNG"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_file_cut_in_half_is_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(UnreadableImageError, match="damaged"):
        decode_image(data[: len(data) // 2])


SEEDS = {
    **{kind: encoded(gradient(48, 40), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "JPEG2000", "AVIF")},
    "GIF": encoded(gradient(48, 40), "GIF", save_all=True, append_images=[gradient(48, 40)]),
    "TIFF": encoded(gradient(48, 40), "TIFF", compression="tiff_lzw", exif=Image.Exif()),
    "TIFF-jpeg": encoded(gradient(48, 40), "TIFF", compression="jpeg"),
    "TIFF-16": encoded(Image.new("I;16", (48, 40), 999), "TIFF"),
    "PNG-P": encoded(gradient(48, 40).quantize(16), "PNG", transparency=1),
    "TIFF-planes": tiff(np.ones((3, 16, 16), np.uint16) * 999, photometric="rgb", planarconfig="separate"),
    "TIFF-float": tiff(np.ones((16, 16, 3), np.float32), photometric="rgb", compression="zlib"),
    "PNG-deep": deep_png(np.ones((16, 16, 3), np.uint16) * 999),
    "JPEG-CMYK": encoded(gradient(48, 40).convert("CMYK"), "JPEG"),
}


def damaged(data: bytes, seed: int) -> bytes:
    rng = random.Random(seed)
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        # half of all hits in the head, where the structure is
        changed[rng.randrange(min(200, len(data)) if rng.random() < 0.5 else len(data))] = rng.randrange(256)
    return bytes(changed[: rng.randint(1, len(changed))] if rng.random() < 0.3 else changed)


@settings(max_examples=600, derandomize=True)
@given(kind=st.sampled_from(sorted(SEEDS)), seed=st.integers(0, 2**32))
def test_damaged_files_are_read_or_refused_and_nothing_else(kind: str, seed: int) -> None:
    try:
        read = decode_image(damaged(SEEDS[kind], seed))
    except UnreadableImageError as error:
        assert str(error).endswith(".")
    else:
        assert read.mode == "RGB"
        assert len(read.tobytes()) == 3 * read.width * read.height


def test_many_threads_read_what_one_reads(tmp_path: Path) -> None:
    for number, (kind, data) in enumerate(sorted(SEEDS.items())):
        (tmp_path / f"{number}-{kind}").write_bytes(data)
    paths = sorted(tmp_path.iterdir()) * 10
    one = [read_image(path).tobytes() for path in paths]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda path: read_image(path).tobytes(), paths)) == one


def test_the_pixel_limit_is_where_pillow_begins_to_warn() -> None:
    assert Image.MAX_IMAGE_PIXELS == decode.MAX_PIXELS
