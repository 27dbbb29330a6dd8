"""CoSy numbers against slow twins and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.metrics.cosy import cosy


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 12))
def test_it_is_what_the_paper_writes(seed: int, n: int, g: int) -> None:
    random = np.random.default_rng(seed)
    control = random.integers(0, 5, n).astype(np.float32)  # ties
    generated = random.integers(0, 7, g).astype(np.float32)
    found = cosy(control, generated, 5.0, rng())
    pairs = [(a > b) + (a == b) / 2 for a in generated for b in control]
    assert found.auc == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.auc_low <= found.auc_high <= 1
    if control.std() > 0:
        assert found.mad == pytest.approx((generated.mean() - control.mean()) / control.std(), abs=1e-5)
    assert found.mean == pytest.approx(generated.mean() / 5, abs=1e-6)
    assert found.maximum == pytest.approx(generated.max() / 5, abs=1e-6)


def test_by_hand() -> None:
    found = cosy(np.array([0.0, 2.0]), np.array([1.0, 3.0]), 4.0, rng())
    assert (found.auc, found.mad, found.mean, found.maximum) == (0.75, 1.0, 0.5, 0.75)


def test_images_that_always_win_leave_no_doubt() -> None:
    found = cosy(np.arange(10.0), np.full(5, 20.0), 10.0, rng())
    assert (found.auc, found.auc_low, found.auc_high) == (1, 1, 1)


def test_scaling_and_shifting_the_neuron_keeps_auc_and_mad() -> None:
    control, generated = np.random.default_rng(1).random(40), np.random.default_rng(2).random(9)
    plain = cosy(control, generated, 1.0, rng())
    other = cosy(3 * control + 7, 3 * generated + 7, 1.0, rng())
    assert (other.auc, other.auc_low) == (plain.auc, plain.auc_low)
    assert other.mad == pytest.approx(plain.mad)


@pytest.mark.parametrize(
    ("control", "generated", "largest"), [([], [1.0], 1.0), ([1.0], [], 1.0), ([np.nan], [1.0], 1.0)]
)
def test_nothing_to_compare_is_not_a_number(
    control: list[float], generated: list[float], largest: float
) -> None:
    assert np.isnan(cosy(np.array(control), np.array(generated), largest, rng()).auc)


def test_a_neuron_that_never_fires_has_no_largest_activation() -> None:
    found = cosy(np.zeros(4), np.zeros(3), 0.0, rng())
    assert found.auc == 0.5
    assert np.isnan([found.mad, found.mean, found.maximum]).all()
