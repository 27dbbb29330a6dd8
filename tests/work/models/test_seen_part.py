"""Which part of a picture a model sees."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from csp.work.models.seen_part import seen_part


def array(image: Image.Image) -> np.ndarray:
    return (np.moveaxis(np.asarray(image, np.float32), 2, 0) / 255 - 0.4) / 0.2


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [((400, 200), 0.5, 1), ((100, 400), 1, 0.25), ((300, 300), 1, 1), ((20, 30), 1, 0.67)],
)
def test_what_a_centre_crop_cuts_off(size: tuple[int, int], width: float, height: float) -> None:
    seen = seen_part(lambda image: array(ImageOps.fit(image, (64, 64))), size)
    assert seen is not None
    assert (seen.width, seen.height) == (pytest.approx(width, abs=0.05), pytest.approx(height, abs=0.05))
    assert seen.whole == (width == height == 1)


def test_a_squeezed_picture_is_seen_whole() -> None:
    seen = seen_part(lambda image: array(image.resize((64, 64))), (400, 200))
    assert seen is not None
    assert seen.whole


def test_inputs_that_do_not_follow_lightness_tell_nothing() -> None:
    assert seen_part(lambda image: np.zeros((3, 8, 8), np.float32), (20, 20)) is None
