"""Images from several levels of activation, against a plain loop and by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from csp.errors import BadInputError
from csp.method.examples.activation_bands import BANDS, level_images


def test_by_hand() -> None:
    activations = np.array([5, 1, 9, 3, np.nan, 7, 0, 2], dtype=np.float32)  # ranking: 2 5 0 3 7 1 6
    found = level_images(activations, 2, (0.0, 0.3, 1.0))
    assert [level.tolist() for level in found] == [[2, 0], [7, 6]]  # ranks 0-2 of 7, then 3-6


def slow(activations: list[float], count: int) -> list[list[int]]:
    ranking = sorted(range(len(activations)), key=lambda image: (-activations[image], image))
    levels = []
    for start, stop in pairwise(BANDS):
        first, last = (math.ceil(round(share * len(ranking), 6)) for share in (start, stop))
        band = ranking[first:last]
        taken = min(count, len(band))
        levels.append([band[math.floor((i + 0.5) * len(band) / taken)] for i in range(taken)])
    return levels


@given(some.lists(some.integers(-3, 3), max_size=120), some.integers(1, 9))
def test_as_the_plain_loop(values: list[int], count: int) -> None:
    activations = np.array(values, dtype=np.float32)
    found = [level.tolist() for level in level_images(activations, count)]
    assert found == slow([float(value) for value in values], count)
    images = [image for level in found for image in level]
    assert len(images) == len(set(images))


@pytest.mark.parametrize(("count", "bands"), [(0, BANDS), (3, (0.1, 1.0)), (3, (0.0, 0.5, 0.5, 1.0))])
def test_refuses(count: int, bands: tuple[float, ...]) -> None:
    with pytest.raises(BadInputError):
        level_images(np.ones(4, dtype=np.float32), count, bands)
