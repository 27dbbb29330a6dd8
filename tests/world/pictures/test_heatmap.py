"""Overlays: they lie where the model looks, and are clear where the neuron fires."""

import io

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import functional

from csp.world.pictures.heatmap import DARKEST, CropBox, lit, seen_part, spotlight


def cut(image: Image.Image) -> np.ndarray:
    """As torchvision does: the short side scaled to 40, the middle 32 x 32 cut out, normalised."""
    small = functional.center_crop(functional.resize(image, [40], antialias=True), [32, 32])
    pixels: np.ndarray = (np.asarray(small, np.float32).transpose(2, 0, 1) / 255 - 0.4) / 0.2
    return pixels


def squeezed(image: Image.Image) -> np.ndarray:
    """As vision transformers do: everything squeezed into a square."""
    pixels: np.ndarray = np.asarray(image.resize((32, 32)), np.float32).transpose(2, 0, 1) * 2 - 1
    return pixels


@pytest.mark.parametrize(
    ("size", "part"),
    [
        ((320, 320), (0.1, 0.1, 0.9, 0.9)),
        ((400, 200), (0.3, 0.1, 0.7, 0.9)),
        ((100, 150), (0.1, 7 / 30, 0.9, 23 / 30)),
    ],
)
def test_the_part_that_a_cut_leaves_is_found(size: tuple[int, int], part: tuple[float, ...]) -> None:
    found = seen_part(cut, size)
    assert (found.left, found.top, found.right, found.bottom) == pytest.approx(part, abs=0.02)


def test_squeezing_leaves_everything() -> None:
    found = seen_part(squeezed, (300, 120))
    assert (found.left, found.top, found.right, found.bottom) == pytest.approx((0, 0, 1, 1), abs=0.02)


def alpha(overlay: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(overlay)) as image:
        values: np.ndarray = np.asarray(image.convert("RGBA"))[:, :, 3] / 255
        return values


def test_clear_where_it_fires_dark_elsewhere_and_outside() -> None:
    firing = np.array([[0, 0], [0, 4.0]])
    found = alpha(spotlight(firing, 4.0, CropBox(0.25, 0, 0.75, 1), (200, 100)))
    assert found.shape == (48, 96)
    assert found[-1, 70] < 0.1
    assert found[0, 26] == pytest.approx(DARKEST, abs=0.05)
    assert found[:, :20] == pytest.approx(DARKEST, abs=0.01)


def test_half_as_strong_is_half_as_clear_and_negative_is_dark() -> None:
    whole = CropBox(0, 0, 1, 1)
    assert alpha(spotlight(np.full((3, 3), 2.0), 4.0, whole, (50, 50))) == pytest.approx(
        DARKEST / 2, abs=0.01
    )
    assert alpha(spotlight(np.full((3, 3), -1.0), 4.0, whole, (50, 50))) == pytest.approx(DARKEST, abs=0.01)
    assert alpha(spotlight(np.zeros((3, 3)), 0.0, whole, (50, 50))) == pytest.approx(DARKEST, abs=0.01)


def test_a_lit_picture_keeps_its_shape_and_shows_the_bright_half() -> None:
    picture = Image.new("RGB", (360, 180), "white")
    over = spotlight(np.array([[0.0, 1.0]]), 1.0, CropBox(0, 0, 1, 1), picture.size)
    with Image.open(io.BytesIO(lit(picture, over))) as found:
        pixels = np.asarray(found.convert("L"))
    assert pixels.shape == (90, 180)
    assert pixels[:, -10:].mean() > 240
    assert pixels[:, :10].mean() < 110
