"""DICOM files as pydicom writes them, and those that it brings for its own tests."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from csp.world.pictures.decode import UnreadableImageError, decode_frame, decode_picture, read_picture

pydicom = pytest.importorskip("pydicom")
from pydicom.pixels import apply_voi_lut  # noqa: E402
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid  # noqa: E402

from csp.world.pictures.dicom import windowed  # noqa: E402

BROUGHT = Path(pydicom.__file__).parent / "data" / "test_files"


def written(pixels: np.ndarray, kind: str, **more: Any) -> bytes:
    """A file as a camera or scanner leaves it."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = pydicom.Dataset()
    file.file_meta = meta
    file.SOPClassUID, file.SOPInstanceUID = SecondaryCaptureImageStorage, meta.MediaStorageSOPInstanceUID
    file.PatientName, file.PatientID, file.PatientBirthDate = "Roe^Richard", "4711-0815", "19500102"
    file.PhotometricInterpretation = kind
    colours = kind in ("RGB", "YBR_FULL")
    file.SamplesPerPixel = 3 if colours else 1
    shape = pixels.shape[:-1] if colours else pixels.shape
    file.Rows, file.Columns = shape[-2:]
    if len(shape) == 3:
        file.NumberOfFrames = shape[0]
    if colours:
        file.PlanarConfiguration = 0
    file.BitsAllocated = file.BitsStored = 8 * pixels.itemsize
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in more.items():
        setattr(file, name, value)
    file.PixelData = pixels.tobytes()
    place = io.BytesIO()
    pydicom.dcmwrite(place, file, enforce_file_format=True)
    return place.getvalue()


def grey(data: bytes) -> np.ndarray:
    pixels = np.asarray(decode_picture(data).image)
    assert (pixels[..., 0] == pixels[..., 2]).all()
    return pixels[..., 0]


RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def test_eight_bits_of_grey_stay_and_monochrome1_is_turned_round() -> None:
    assert (grey(written(RAMP, "MONOCHROME2")) == RAMP).all()
    assert (grey(written(RAMP, "MONOCHROME1")) == 255 - RAMP).all()


def test_what_fills_a_frame_up_takes_no_part_in_the_range() -> None:
    values = RAMP.astype(np.int16)
    padded = values.copy()
    padded[0, :4] = -2000
    shown = grey(written(padded, "MONOCHROME2", PixelPaddingValue=-2000))
    expected = np.rint((values - 16) / (252 - 16) * 255).clip(0)
    expected[0, :4] = 0
    assert np.abs(shown - expected).max() <= 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_are_those_of_pydicom(function: str) -> None:
    values = np.linspace(-900, 1200, 64).astype(np.int16).reshape(8, 8)
    more = {"WindowCenter": ["40", "0"], "WindowWidth": ["400", "1"], "VOILUTFunction": function}
    data = written(values, "MONOCHROME2", RescaleSlope="1", RescaleIntercept="-24", **more)
    file = pydicom.dcmread(io.BytesIO(data))
    theirs = apply_voi_lut(values.astype(np.float64) - 24, file)
    low, high = -32768 - 24, 32767 - 24
    expected = (theirs - low) / (high - low)
    np.testing.assert_allclose(windowed(values - 24.0, 40, 400, function), expected, atol=2e-3)
    assert np.abs(grey(data) / 255 - expected).max() < 0.006


def test_a_voi_table_comes_before_a_window() -> None:
    table = pydicom.Dataset()
    table.LUTDescriptor = [256, 0, 8]
    table.LUTData = np.arange(255, -1, -1, dtype="<u2").tobytes()
    more = {"VOILUTSequence": [table], "WindowCenter": "1", "WindowWidth": "2"}
    assert (grey(written(RAMP, "MONOCHROME2", **more)) == 255 - RAMP).all()


def test_colours() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    assert (np.asarray(decode_picture(written(pixels, "RGB")).image) == pixels).all()
    yellow = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    seen = np.asarray(decode_picture(written(yellow, "YBR_FULL")).image)
    assert np.abs(seen.astype(int) - pixels).max() <= 3
    palette = read_picture(BROUGHT / "examples_palette.dcm").image
    assert palette.size == (800, 350) and len(palette.getcolors(2**20) or ()) > 20


def test_the_first_of_several_frames_or_each() -> None:
    frames = np.stack([RAMP, 255 - RAMP])
    data = written(frames, "MONOCHROME2")
    assert decode_picture(data).remarks == ("had 2 frames, of which the first was taken",)
    assert (np.asarray(decode_frame(data, 1).image)[..., 0] == 255 - RAMP).all()
    assert decode_frame(data, 0).remarks == ()
    with pytest.raises(UnreadableImageError, match="no frame 3"):
        decode_frame(data, 2)


@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "SC_rgb_jpeg_dcmtk", "SC_rgb_rle"],
)
def test_packed_pixels(name: str) -> None:
    pytest.importorskip("gdcm")
    same = read_picture(BROUGHT / f"{name}.dcm").image
    plain = read_picture(BROUGHT / ("MR_small.dcm" if name.startswith("MR") else "SC_rgb_gdcm_KY.dcm")).image
    assert np.abs(np.asarray(same).astype(int) - np.asarray(plain)).mean() < 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("reportsi", "holds no picture, but is of the kind Basic Text SR Storage"),
        ("rtplan", "holds no picture, but is of the kind RT Plan Storage"),
        ("MR_truncated", "damaged or cut off"),
        ("JPEG-lossy", r"can't be unpacked \(JPEG Extended"),
        ("image_dfl", "packed as a whole"),
    ],
)
def test_what_can_not_be_shown_is_said_in_a_sentence(name: str, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        read_picture(BROUGHT / f"{name}.dcm")


def test_damaged_files_are_refused_and_never_quoted() -> None:
    data = written(np.stack([RAMP] * 9), "MONOCHROME2", ImageComments="Roe was here")
    rng = np.random.default_rng(1)
    for _ in range(300):
        spoilt = bytearray(data[: rng.integers(140, len(data))])
        for place in rng.integers(132, len(spoilt), 3):
            spoilt[place] = rng.integers(256)
        try:
            decode_picture(bytes(spoilt))
        except UnreadableImageError as error:
            assert not any(said in str(error) for said in ("Roe", "4711", "1950"))


def test_a_picture_of_too_many_pixels_is_refused_by_its_head() -> None:
    with pytest.raises(UnreadableImageError, match="too large"):
        decode_picture(written(RAMP, "MONOCHROME2", Rows=60000, Columns=60000))
