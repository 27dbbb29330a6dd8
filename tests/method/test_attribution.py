"""What a neuron does to a class, recovered from activations and probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.attribution import attribution, centred_logits, deviations, linear_head


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 12))
def test_a_linear_head_is_recovered_from_the_probabilities(seed: int, classes: int, neurons: int) -> None:
    rng = np.random.default_rng(seed)
    activations = np.abs(rng.normal(size=(80, neurons))).astype(np.float32)
    weights, bias = rng.normal(size=(neurons, classes)), rng.normal(size=classes)
    logits = centred_logits(softmax(activations @ weights + bias))
    found = linear_head(activations, logits)
    assert found is not None
    np.testing.assert_allclose(found, weights - weights.mean(axis=1, keepdims=True), atol=1e-4)
    np.testing.assert_allclose(attribution(deviations(activations), found).sum(axis=1), 0, atol=1e-4)


def test_a_layer_with_more_behind_it_has_no_linear_head() -> None:
    rng = np.random.default_rng(0)
    activations = np.abs(rng.normal(size=(200, 6))).astype(np.float32)
    logits = centred_logits(
        softmax(np.maximum(activations @ rng.normal(size=(6, 8)), 0) @ rng.normal(size=(8, 3)))
    )
    assert linear_head(activations, logits) is None


@pytest.mark.parametrize("case", ["too few images", "two neurons alike", "nothing varies"])
def test_weights_that_cannot_be_told_are_not_made_up(case: str) -> None:
    rng = np.random.default_rng(1)
    activations = rng.normal(size=(7 if case == "too few images" else 60, 6)).astype(np.float32)
    if case == "two neurons alike":
        activations[:, 1] = activations[:, 0]
    weights = np.zeros((6, 3)) if case == "nothing varies" else rng.normal(size=(6, 3))
    assert linear_head(activations, centred_logits(softmax(activations @ weights))) is None


def test_push_by_hand() -> None:
    activations = np.array([[0, 1, np.nan], [2, 1, np.nan]], dtype=np.float32)  # deviations 1, 0, not known
    weights = np.array([[0.5, -0.5], [3.0, -3.0], [1.0, -1.0]])
    np.testing.assert_allclose(attribution(deviations(activations), weights), [[0.5, -0.5], [0, 0], [0, 0]])


def test_a_probability_of_zero_leaves_its_image_out() -> None:
    probabilities = np.array([[0.5, 0.5], [1.0, 0.0]], dtype=np.float32)
    logits = centred_logits(probabilities)
    assert np.isfinite(logits[0]).all()
    assert np.isnan(logits[1]).all()


def test_neurons_that_never_vary_do_not_hide_the_head() -> None:
    rng = np.random.default_rng(3)
    activations = rng.normal(size=(60, 5)).astype(np.float32)
    activations[:, 2] = 0
    weights = rng.normal(size=(5, 3))
    found = linear_head(activations, centred_logits(softmax(activations @ weights)))
    assert found is not None
    centred = weights - weights.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], centred[[0, 1, 3, 4]], atol=1e-4)
    assert (found[2] == 0).all()
