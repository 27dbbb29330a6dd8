"""How unlike a picture is to a set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.unlikeness import MOST, probe_space


def test_one_of_their_kind_is_like_them_and_a_stranger_is_not() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 20)) + 0.01 * rng.normal(size=(400, 20))
    space = probe_space(flat[:300].astype(np.float32))
    assert np.mean([space.unlikeness(one) for one in flat[300:]]) == pytest.approx(0.5, abs=0.15)
    off = flat[300] + 0.3 * rng.normal(size=20)
    assert space.unlikeness(off) == 1, "no farther than they are apart, but where none of them goes"


def test_an_image_of_the_set_is_like_it() -> None:
    points = np.random.default_rng(1).normal(size=(50, 8))
    assert probe_space(points).unlikeness(points[7]) == 0


def test_a_large_set_is_drawn_from() -> None:
    space = probe_space(np.random.default_rng(2).normal(size=(MOST + 500, 4)))
    assert len(space.points) == MOST


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 2**31), st.booleans())
def test_any_set_gives_a_share_or_nothing(count: int, width: int, seed: int, constant: bool) -> None:
    points = np.random.default_rng(seed).normal(size=(count, width))
    found = probe_space(points * 0 if constant else points).unlikeness(np.full(width, 5.0))
    assert np.isnan(found) if count < 3 else 0 <= found <= 1
