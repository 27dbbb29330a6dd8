"""Mean ablation, by hand and against a slow twin."""

import numpy as np
import pytest

from csp.method.metrics.ablation import ablated_by_head, change


def test_change_by_hand() -> None:
    before = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]])
    after = np.array([[0.4, 0.6], [0.3, 0.7], [0.9, 0.1]])
    found = change(before, after, np.array([0, 1, -1]))
    np.testing.assert_allclose(found.probability, [-0.5 / 3, 0.5 / 3])
    assert found.accuracy == -0.5
    np.testing.assert_allclose(found.accuracy_of, [-1, 0])
    assert found.images == 3


def test_no_known_class_gives_no_accuracy() -> None:
    found = change(np.full((2, 3), 1 / 3), np.full((2, 3), 1 / 3), np.array([-1, -1]))
    assert np.isnan(found.accuracy)
    assert np.isnan(found.accuracy_of).all()


def test_a_linear_head_is_ablated_exactly() -> None:
    rng = np.random.default_rng(0)
    activations, weights = rng.random((20, 5)), rng.normal(size=(5, 3))
    logits = activations @ weights
    held = activations.copy()
    held[:, 2] = activations[:, 2].mean()
    slow = np.exp(held @ weights) / np.exp(held @ weights).sum(axis=1, keepdims=True)
    fast = ablated_by_head(logits, activations[:, 2], weights[2], float(activations[:, 2].mean()))
    np.testing.assert_allclose(fast, slow)


def test_a_neuron_that_never_varies_changes_nothing() -> None:
    logits = np.random.default_rng(1).normal(size=(6, 4))
    same = ablated_by_head(logits, np.full(6, 2.0), np.ones(4), 2.0)
    plain = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert same == pytest.approx(plain)
