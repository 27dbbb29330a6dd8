"""How good a classifier is, over many resamples at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.metrics.classification import calibration_error, decided, quality, quality_of_each, roc
from csp.method.metrics.statistics import auroc


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_a_resample_counts_as_if_its_images_were_written_out(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 4, n) / 4, rng.random(n) < 0.5
    weights = rng.integers(0, 3, (3, n)).astype(np.float64)
    areas, found = roc(scores, truth, weights)
    for row, area, share in zip(weights, areas, found, strict=True):
        drawn = np.repeat(np.arange(n), row.astype(int))
        np.testing.assert_allclose(area, auroc(scores[drawn], truth[drawn]), atol=1e-9)
        alone = roc(scores[drawn], truth[drawn], np.ones((1, len(drawn))))[1][0]
        np.testing.assert_allclose(share, alone, atol=1e-9)


def test_sensitivity_where_nine_of_ten_others_are_left_alone() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.2, *np.linspace(0.01, 0.75, 10)])
    truth = np.array([True] * 4 + [False] * 10)
    _, found = roc(scores, truth, np.ones((1, 14)))
    assert found[0] == 0.75  # above 0.67: one of the ten others, and all but one of the class


def test_calibration_by_hand() -> None:
    found = calibration_error(np.array([0.95, 0.95, 0.55]), np.array([1.0, 0.0, 1.0]), np.ones((1, 3)))
    assert found[0] == pytest.approx((0.9 + 0.45) / 3)


def test_independent_labels_are_each_right_or_wrong() -> None:
    outputs = np.array([[0.9, 0.8], [0.2, 0.6]])
    truth = np.array([[True, True], [False, False]])
    assert quality(outputs, truth, independent=True).accuracy[0] == 0.75
    assert quality(outputs, truth).accuracy[0] == 0.5


def test_where_images_cannot_tell_there_is_no_number() -> None:
    found = quality(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool))
    assert np.isnan([found.accuracy[0], found.calibration[0], *found.auroc[0], *found.sensitivity[0]]).all()
    one = quality(np.array([[0.3, 0.7]]), np.array([[False, True]]))
    assert one.accuracy[0] == 1.0
    assert np.isnan(one.auroc).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.booleans())
def test_many_at_once_are_what_each_is_alone(seed: int, n: int, independent: bool) -> None:
    rng = np.random.default_rng(seed)
    outputs = rng.integers(0, 5, (4, n, 3)) / 5
    truth = np.eye(3, dtype=bool)[rng.integers(0, 3, n)]
    together = quality_of_each(outputs, truth, independent=independent)
    for place, one in enumerate(outputs):
        alone = quality(one, truth, independent=independent)
        for name in ("accuracy", "auroc", "sensitivity", "calibration"):
            np.testing.assert_allclose(getattr(together, name)[place], getattr(alone, name)[0], atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_the_model_says_image_by_image(seed: int, independent: bool) -> None:
    rng = np.random.default_rng(seed)
    outputs, weights = rng.random((15, 3)), rng.integers(0, 3, (2, 15)).astype(np.float64)
    truth = rng.random((15, 3)) < 0.4
    sensitivity, specificity = decided(outputs, truth, weights, independent=independent)
    for row in range(2):
        for place in range(3):
            counts = {True: [0.0, 0.0], False: [0.0, 0.0]}
            for image in range(15):
                says = outputs[image, place] >= 0.5 if independent else place == outputs[image].argmax()
                is_it = bool(truth[image, place])
                counts[is_it][0] += weights[row, image]
                counts[is_it][1] += weights[row, image] * (says == is_it)
            for found, is_it in ((sensitivity, True), (specificity, False)):
                whole, right = counts[is_it]
                np.testing.assert_allclose(found[row, place], right / whole if whole else np.nan)
