"""Neurons of two networks are matched by what they do."""

import numpy as np
import pytest

from csp.method.matching import matched_neurons


def test_a_shuffled_network_is_found_again_whatever_its_scale() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(size=(60, 8)).astype(np.float32)
    order = rng.permutation(8)
    partner, alike = matched_neurons(left, 3 * left[:, order] + 1)
    assert np.array_equal(order[partner], np.arange(8))
    assert alike == pytest.approx(1.0)


def test_sizes_may_differ_and_dead_neurons_are_alike_to_nothing() -> None:
    left = np.random.default_rng(1).normal(size=(40, 3))
    partner, alike = matched_neurons(left, left[:, [2]])
    assert partner.tolist() == [-1, -1, 0]
    assert np.isnan(alike[:2]).all()
    left[:, 1] = 5
    partner, alike = matched_neurons(left, left)
    assert (partner[1], alike[1]) == (1, 0)
