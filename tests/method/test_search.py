"""Searching among neurons, each function against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.search import share_below, standing_out, word_scores

SEEDS = st.integers(0, 2**32 - 1)


def units(rng: np.random.Generator, count: int, dimension: int = 5) -> np.ndarray:
    rows = rng.normal(size=(count, dimension))
    unit: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@given(SEEDS, st.integers(0, 3), st.integers(0, 3))
def test_word_scores_add_what_is_wanted_and_take_what_is_not(seed: int, wanted: int, unwanted: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, plus, minus = units(rng, 4), units(rng, wanted), units(rng, unwanted)
    if wanted + unwanted == 0:
        with pytest.raises(BadInputError, match="nothing to search for"):
            word_scores(vectors, plus, minus)
        return
    found = word_scores(vectors, plus, minus)
    for neuron, vector in enumerate(vectors):
        slow = sum(float(vector @ text) for text in plus) / max(wanted, 1)
        slow -= sum(max(0.0, float(vector @ text)) for text in minus) / max(unwanted, 1)
        assert found[neuron] == pytest.approx(slow, abs=1e-6)
    assert (found <= 1 + 1e-6).all()


def test_the_opposite_of_an_unwanted_text_earns_nothing() -> None:
    vectors = np.array([[1, 0], [0, -1]], np.float32)
    found = word_scores(vectors, np.array([[0.6, 0.8]], np.float32), np.array([[0, 1]], np.float32))
    assert found.argmax() == 0


@given(SEEDS)
def test_standing_out_counts_standard_deviations_over_the_probe_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, probe, picture = units(rng, 3), units(rng, 40), units(rng, 1)[0]
    found = standing_out(vectors, picture, probe)
    for neuron, vector in enumerate(vectors):
        cosines = [float(vector.astype(np.float64) @ row.astype(np.float64)) for row in probe]
        slow = (float(vector @ picture) - np.mean(cosines)) / np.std(cosines)
        assert found[neuron] == pytest.approx(slow, abs=1e-4)


def test_nothing_stands_out_of_images_that_are_all_alike() -> None:
    probe = np.tile(np.array([[1, 0]], np.float32), (4, 1))
    assert standing_out(np.eye(2, dtype=np.float32), np.array([0, 1], np.float32), probe).tolist() == [0, 0]


def test_share_below_leaves_out_what_is_no_number() -> None:
    activations = np.array([[1, np.nan], [2, np.nan], [np.inf, np.nan], [4, np.nan]], np.float32)
    found = share_below(activations, np.array([3, 3], np.float32))
    assert found[0] == pytest.approx(2 / 3)
    assert np.isnan(found[1])
    assert share_below(activations, np.array([1, 0], np.float32))[0] == 0
