"""Images on which a whole layer gives way are found, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.examples.outlying import (
    FEWEST,
    MOST,
    outlying_images,
    sampled_neurons,
    steady,
)

N, NEURONS = 400, 64


def calm(seed: int, neurons: int = NEURONS) -> np.ndarray:
    """Neurons with a heavy tail, as trained ones have."""
    return np.random.default_rng(seed).gamma(1.0, 1.0, (N, neurons)).astype(np.float32)


def struck(seed: int, images: list[int], share: float = 1.0, times: float = 100.0) -> np.ndarray:
    activations = calm(seed)
    activations[images, : round(share * NEURONS)] *= times
    activations[images, : round(share * NEURONS)] += times
    return activations


@given(st.integers(0, 1000), st.sets(st.integers(0, N - 1), max_size=int(MOST * N)), st.floats(0.3, 1.0))
def test_just_the_images_that_set_off_many_neurons(seed: int, images: set[int], share: float) -> None:
    found = outlying_images(struck(seed, sorted(images), share))
    assert set(np.flatnonzero(found).tolist()) == images


@given(st.integers(0, 1000))
def test_their_number_does_not_depend_on_scale_order_or_offset(seed: int) -> None:
    activations, rng = struck(seed, [3, 77]), np.random.default_rng(seed)
    order = rng.permutation(N)
    scaled = (activations * rng.uniform(0.01, 100, NEURONS) + rng.normal(0, 5, NEURONS))[order]
    assert set(order[outlying_images(scaled)].tolist()) == {3, 77}


def test_what_sets_off_few_neurons_is_a_rare_thing() -> None:
    assert not outlying_images(struck(0, [3, 77], share=0.2)).any()


def test_what_many_images_do_is_a_kind_of_picture() -> None:
    assert not outlying_images(struck(0, list(range(int(MOST * N) + 1)))).any()


def test_few_neurons_and_seldom_ones_say_nothing() -> None:
    assert not outlying_images(struck(0, [3])[:, : FEWEST - 1]).any()
    sparse = np.zeros((N, NEURONS), np.float32)
    sparse[:5] = 100.0
    assert not outlying_images(sparse).any()


@pytest.mark.parametrize("shape", [(0, NEURONS), (1, NEURONS), (N, 0)])
def test_hardly_anything_to_look_at(shape: tuple[int, int]) -> None:
    assert outlying_images(np.ones(shape, np.float32)).shape == shape[:1]


def test_what_is_no_number_is_neither_counted_nor_found() -> None:
    activations = struck(0, [3, 77])
    activations[5] = np.nan
    activations[:, 0] = np.inf
    assert np.flatnonzero(outlying_images(activations)).tolist() == [3, 77]


def test_neurons_are_taken_from_all_over_the_layer() -> None:
    assert sampled_neurons(3) == [0, 1, 2]
    sampled = sampled_neurons(2048)
    assert sampled[0] == 0
    assert sampled[-1] == 2047
    assert len(sampled) == NEURONS


def test_without_them_the_rest_stays() -> None:
    activations = calm(0)
    assert steady(activations, np.zeros(N, bool)) is activations
    left = steady(activations, np.arange(N) == 3)
    assert np.isnan(left[3]).all()
    assert np.array_equal(np.delete(left, 3, axis=0), np.delete(activations, 3, axis=0))
    assert np.isfinite(activations).all()
