"""Metrics against hand-worked values, slow twins and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.metrics.statistics import (
    auroc,
    auroc_matrix,
    bootstrap_interval,
    correlation_interval,
    pearson,
    simulation_correlation,
)
from tests.method import slow
from tests.method.worlds import make_world


def test_simulation_correlation_by_hand() -> None:
    embeddings = np.float32([[1, 0], [0, 1], [0.6, 0.8]])
    text = np.float32([1, 0])  # cosines 1, 0, 0.6
    assert simulation_correlation(np.float32([10, 0, 6]), embeddings, text) == pytest.approx(1)
    assert simulation_correlation(np.float32([0, 10, 4]), embeddings, text) == pytest.approx(-1)
    # activations 0, 0, 1: covariance 0.2, deviations sqrt(2/3) and sqrt(0.5067)
    expected = (0.6 - 1.6 / 3) / np.sqrt(2 / 3 * (1.36 - 1.6**2 / 3))
    assert simulation_correlation(np.float32([0, 0, 1]), embeddings, text) == pytest.approx(
        expected, rel=1e-5
    )


def test_simulation_correlation_leaves_non_finite_activations_out() -> None:
    world = make_world(1, 20, 5, ties=False)
    activations = world.activations.copy()
    activations[[3, 8]] = [np.nan, np.inf]
    kept = np.isfinite(activations)
    assert simulation_correlation(activations, world.embeddings, world.texts[0]) == pytest.approx(
        simulation_correlation(activations[kept], world.embeddings[kept], world.texts[0])
    )


def test_correlation_with_a_constant_is_not_a_number() -> None:
    assert np.isnan(pearson(np.float32([1, 1, 1]), np.float32([1, 2, 3])))
    assert np.isnan(pearson(np.float32([]), np.float32([])))


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_auroc_counts_pairs(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    activations = np.round(rng.normal(size=(n, 3)), 1).astype(np.float32)
    truth = rng.random((n, 2)) < 0.4
    found = auroc_matrix(activations, truth)
    for neuron in range(3):
        for attribute in range(2):
            expected = (
                slow.auroc(activations[:, neuron], truth[:, attribute])
                if 0 < truth[:, attribute].sum() < n
                else np.nan
            )
            assert found[neuron, attribute] == pytest.approx(expected, nan_ok=True)


def test_auroc_of_one_neuron() -> None:
    assert auroc(np.float32([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75


def test_bootstrap_interval() -> None:
    values = np.repeat([0.0, 1.0], 50)
    found = bootstrap_interval(values, np.random.default_rng(0))
    assert found.value == 0.5
    assert found.n == 100
    assert 0.38 < found.low < 0.43  # 0.5 -+ 1.96 sqrt(0.25 / 100)
    assert 0.57 < found.high < 0.62
    assert found == bootstrap_interval(values, np.random.default_rng(0))
    constant = bootstrap_interval(np.ones(5), np.random.default_rng(0))
    assert (constant.low, constant.high) == (1, 1)
    assert np.isnan(bootstrap_interval(np.empty(0), np.random.default_rng(0)).value)


def test_the_interval_of_a_correlation() -> None:
    """Fisher's own example of the transformation: r = 0.5 of 28 pairs."""
    low, high = correlation_interval(0.5, 28)
    assert (low, high) == pytest.approx((np.tanh(0.54931 - 0.392), np.tanh(0.54931 + 0.392)), abs=1e-4)
    assert np.isnan(correlation_interval(0.5, 3)).all()
    assert correlation_interval(1.0, 50)[1] <= 1
