"""Answers without a group of neurons, behind a linear head."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.reliance import (
    Link,
    by_chance,
    changes,
    find_head,
    known_truth,
    link_of,
    logits_of,
    mean_ablated,
    outputs_of,
    own_effects,
    random_groups,
    resample_ablated,
)

LINKS: tuple[Link, ...] = ("softmax", "sigmoid", "none")


def model(
    seed: int, link: Link, classes: int = 3, neurons: int = 6
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Activations, weights, bias and outputs of a linear head."""
    rng = np.random.default_rng(seed)
    activations = np.abs(rng.normal(size=(60, neurons))).astype(np.float32)
    weights, bias = rng.normal(size=(neurons, classes)), rng.normal(size=classes)
    return activations, weights, bias, outputs_of(activations @ weights + bias, link)


@given(st.integers(0, 2**32 - 1), st.sampled_from(LINKS), st.integers(2, 4))
def test_switching_off_is_what_the_model_itself_would_say(seed: int, link: Link, classes: int) -> None:
    activations, weights, bias, outputs = model(seed, link, classes)
    head = find_head(activations, outputs)
    assert head is not None
    assert head.link == link
    group = [0, 3]
    held = activations.copy()
    held[:, group] = activations[:, group].mean(axis=0)
    added = head.added(activations, group)
    found = mean_ablated(logits_of(outputs, link), added, added.mean(axis=0), link)
    np.testing.assert_allclose(found, outputs_of(held @ weights + bias, link), atol=1e-5)
    np.testing.assert_allclose(outputs_of(head.logits(activations), link), outputs, atol=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_a_group_of_no_effect_changes_nothing(link: Link) -> None:
    activations, weights, bias, _ = model(0, link)
    weights[[1, 2]] = 0
    outputs = outputs_of(activations @ weights + bias, link)
    head = find_head(activations, outputs)
    assert head is not None
    added = head.added(activations, [1, 2])
    logits, rng = logits_of(outputs, link), np.random.default_rng(0)
    np.testing.assert_allclose(mean_ablated(logits, added, added.mean(0), link), outputs, atol=1e-5)
    np.testing.assert_allclose(resample_ablated(logits, added, added, link, rng), outputs, atol=1e-5)


def test_resampling_takes_whole_images_and_so_stays_on_the_data() -> None:
    """Two neurons that cancel on every image: their values of other images cancel, too."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 2))
    apart = rng.normal(size=(50, 2)) * 5
    added = apart - apart
    np.testing.assert_allclose(
        resample_ablated(logits, added, added, "softmax", rng), outputs_of(logits, "softmax")
    )


def test_what_made_the_outputs_is_told_from_them() -> None:
    assert link_of(np.array([[0.2, 0.8], [0.5, 0.5]])) == "softmax"
    assert link_of(np.array([[0.2, 0.9], [0.5, 0.5]])) == "sigmoid"
    assert link_of(np.array([[0.4]])) == "sigmoid"
    assert link_of(np.array([[-2.0], [7.0]])) == "none"
    assert np.isnan(logits_of(np.array([[0.0, 1.0]]), "softmax")).all()
    assert np.isnan(logits_of(np.array([[1.0, 0.5]]), "sigmoid")[0, 0])


def test_no_head_where_more_of_the_model_follows() -> None:
    activations, weights, bias, _ = model(1, "softmax")
    hidden = np.tanh(activations @ weights + bias)
    assert find_head(activations, outputs_of(5 * hidden**2, "softmax")) is None


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_random_groups_are_as_large_and_leave_the_concept_out(layer: int, size: int, seed: int) -> None:
    size = min(size, layer)
    own = list(range(size))
    found = random_groups(layer, size, own, np.random.default_rng(seed), groups=5)
    assert found.shape == (5, size)
    assert all(len(set(group)) == size for group in found.tolist())
    if layer >= 2 * size:
        assert not np.isin(found, own).any()


def test_change_and_its_interval_by_hand() -> None:
    before, after = np.array([[0.2], [0.4], [0.6]]), np.array([[0.1], [0.4], [0.3]])
    found = changes(before, after, np.random.default_rng(0)).of(0)
    assert found.value == pytest.approx(-0.4 / 3)
    assert -0.3 <= found.low < found.value < found.high <= 0
    alone = changes(before[:1], after[:1], np.random.default_rng(0)).of(0)
    assert (alone.value, alone.n) == (pytest.approx(-0.1), 1)
    assert np.isnan(alone.low)
    assert np.isnan(changes(before[:0], after[:0], np.random.default_rng(0)).of(0).value)


def test_chance_counts_groups_that_change_less_either_way() -> None:
    random = np.array([[0.1], [-0.3], [0.05], [0.0]])
    found = by_chance(random, np.array([-0.2]))
    assert found.beaten[0] == 0.75
    assert found.low[0] < found.mean[0] < found.high[0]


def test_truth_is_known_of_images_whose_label_is_a_class() -> None:
    truth, known = known_truth(["Nevus", None, "wart", "melanoma"], ("melanoma", "nevus"))
    assert known.tolist() == [True, False, False, True]
    assert truth.tolist() == [[False, True], [False, False], [False, False], [True, False]]


def test_what_an_attribute_adds_is_told_apart_from_what_comes_with_it() -> None:
    rng = np.random.default_rng(0)
    sticker = rng.random(400) < 0.3
    nevus = np.where(rng.random(400) < 0.9, sticker, rng.random(400) < 0.2)  # mostly come together
    values = np.outer(sticker, [2.0, 0.0]) + np.outer(nevus, [0.0, 3.0]) + 0.01 * rng.random((400, 2))
    effects = own_effects(values, np.column_stack([sticker, nevus]))
    assert effects is not None
    np.testing.assert_allclose(effects, [[2, 0], [0, 3]], atol=0.02)
    assert own_effects(values[:20], np.column_stack([sticker, nevus])[:20]) is None
