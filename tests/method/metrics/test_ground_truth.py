"""True attributes and verdicts."""

import numpy as np
import pytest

from csp.method.metrics.ground_truth import (
    Verdict,
    attribute_auroc,
    intervention,
    paired_difference,
    shares,
    true_attributes,
    verdict,
)


def test_true_attribute_is_the_best_that_is_clear() -> None:
    found = true_attributes(
        np.array([[0.9, 0.95, 0.2], [0.84, 0.5, 0.1], [np.nan, 0.85, 0.85], [np.nan] * 3])
    )
    assert found.tolist() == [1, -1, 1, -1]
    assert true_attributes(np.empty((2, 0))).tolist() == [-1, -1]


def test_rare_attributes_are_not_judged() -> None:
    truth = np.zeros((40, 3), dtype=bool)
    truth[:20, 0] = truth[:3, 1] = truth[:38, 2] = True
    activations = np.arange(40, 0, -1, dtype=np.float32)[:, None]
    found = attribute_auroc(activations, truth)
    assert found[0, 0] == 1
    assert np.isnan(found[0, 1:]).all()


def test_an_intervention_does_not_see_what_only_comes_along() -> None:
    rng = np.random.default_rng(0)
    cause, companion = rng.normal(size=(2, 50))
    without = np.stack([cause, companion, np.ones(50)], axis=1)
    with_it = without + np.array([4.0, 0.0, 0.0])
    found = intervention(with_it, without, np.array([2.0, 1.0, 0.0]))
    assert found.auroc[0] > 0.99
    assert found.auroc[1:].tolist() == [0.5, 0.5]
    assert found.change[:2].tolist() == pytest.approx([2, 0])
    assert np.isnan(found.change[2])


def test_verdicts() -> None:
    assert verdict({"veil"}, False, "veil") == Verdict.TRUE
    assert verdict({"veil", "streaks"}, True, "veil") == Verdict.TRUE
    assert verdict({"streaks"}, True, "veil") == Verdict.TOO_BROAD
    assert verdict({"streaks"}, False, "veil") == Verdict.OTHER_ATTRIBUTE
    assert verdict(set(), True, "veil") == Verdict.TOO_BROAD
    assert verdict(set(), False, "veil") == Verdict.NOTHING


def test_shares_add_up() -> None:
    verdicts = [Verdict.TRUE] * 6 + [Verdict.TOO_BROAD] * 3 + [Verdict.NOTHING]
    found = shares(verdicts, np.random.default_rng(0))
    assert [found[kind].value for kind in Verdict] == [0.6, 0.3, 0.0, 0.1]
    assert all(share.low <= share.value <= share.high and share.n == 10 for share in found.values())


def test_paired_difference_knows_that_neurons_are_the_same() -> None:
    left = [Verdict.TRUE, Verdict.NOTHING] * 20
    right = [Verdict.TRUE, Verdict.TRUE] * 20
    found = paired_difference(left, right, np.random.default_rng(0))
    assert found.value == -0.5
    assert found.high < 0
    same = paired_difference(left, left, np.random.default_rng(0))
    assert (same.value, same.low, same.high) == (0, 0, 0)
