"""Activating and contrastive examples against their slow twins, invariants, and awkward neurons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.checks import check_probe
from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import Examples, select_examples
from tests.method import slow
from tests.method.worlds import World, make_world, worlds

ks = st.integers(1, 12)


def assert_same(left: Examples, right: Examples) -> None:
    np.testing.assert_array_equal(left.activating, right.activating)
    np.testing.assert_array_equal(left.activation, right.activation)
    np.testing.assert_array_equal(left.contrastive, right.contrastive)
    np.testing.assert_array_equal(left.contrastive_activation, right.contrastive_activation)
    np.testing.assert_array_equal(left.similarity, right.similarity)
    assert left.mean_activation == right.mean_activation


@given(worlds(), ks, st.booleans())
def test_equal_to_the_slow_twin(world: World, k: int, reuse: bool) -> None:
    found = select_examples(world.activations, world.embeddings, k, reuse=reuse)
    activating = slow.activating(world.activations, k)
    contrastive = slow.contrastive(world.activations, world.embeddings, k, reuse)
    assert found.activating.tolist() == activating
    assert found.contrastive.tolist() == contrastive
    assert found.mean_activation == pytest.approx(slow.mean(world.activations))
    for position, (p, j) in enumerate(zip(activating, contrastive, strict=True)):
        expected = slow.cosine(world.embeddings[p], world.embeddings[j]) if j >= 0 else np.nan
        assert found.similarity[position] == pytest.approx(expected, abs=1e-6, nan_ok=True)


@given(worlds(), ks, st.booleans(), st.integers(1, 40))
def test_stored_neighbours_change_nothing(world: World, k: int, reuse: bool, stored: int) -> None:
    neighbours = nearest_neighbours(world.embeddings, stored)
    exact = select_examples(world.activations, world.embeddings, k, reuse=reuse)
    assert_same(
        select_examples(world.activations, world.embeddings, k, reuse=reuse, neighbours=neighbours), exact
    )


@given(worlds(), ks, st.booleans())
def test_contrastive_activations_are_below_the_mean(world: World, k: int, reuse: bool) -> None:
    found = select_examples(world.activations, world.embeddings, k, reuse=reuse)
    twins = found.contrastive >= 0
    assert (found.contrastive_activation[twins] < found.mean_activation).all()
    assert np.isnan(found.contrastive_activation[~twins]).all()
    assert (found.contrastive != found.activating).all()


@given(worlds(), ks)
def test_without_reuse_no_image_serves_twice(world: World, k: int) -> None:
    twins = select_examples(world.activations, world.embeddings, k, reuse=False).contrastive
    twins = twins[twins >= 0]
    assert len(np.unique(twins)) == len(twins)


@given(st.integers(0, 2**32 - 1), ks, st.booleans())
def test_the_order_of_images_plays_no_part(seed: int, k: int, reuse: bool) -> None:
    rng = np.random.default_rng(seed)
    embeddings = make_world(seed, 30, 6, ties=False).embeddings
    activations = rng.normal(size=30).astype(np.float32)  # no ties
    order = rng.permutation(30)
    found = select_examples(activations[order], embeddings[order], k, reuse=reuse)
    expected = select_examples(activations, embeddings, k, reuse=reuse)
    np.testing.assert_array_equal(order[found.activating], expected.activating)
    np.testing.assert_array_equal(
        np.where(found.contrastive < 0, -1, order[found.contrastive]), expected.contrastive
    )


def test_ties_go_to_the_lower_index() -> None:
    activations = np.float32([1.5, 0, 2, 2, 0, 2])
    embeddings = np.tile(np.float32([0.6, 0.8]), (6, 1))
    found = select_examples(activations, embeddings, 2)
    assert found.activating.tolist() == [2, 3]
    assert found.contrastive.tolist() == [1, 1]


@pytest.mark.parametrize("stored", [1, 3, 10])
def test_duplicates_and_near_duplicates_are_told_apart(stored: int) -> None:
    """Images that float32 products can't order: look-up and exact search agree to the index."""
    rng = np.random.default_rng(5)
    base = rng.normal(size=64)
    embeddings = np.stack([base + 1e-8 * rng.normal(size=64) * (i % 3) for i in range(60)])
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    activations = (rng.random(60) < 0.3).astype(np.float32)
    found = select_examples(activations, embeddings, 10, neighbours=nearest_neighbours(embeddings, stored))
    assert_same(found, select_examples(activations, embeddings, 10))
    assert found.contrastive.tolist() == slow.contrastive(activations, embeddings, 10, True)


def test_an_image_is_never_its_own_twin() -> None:
    """Images that fire below the mean may be examples, and cold ones at once."""
    world = make_world(1, 20, 5, ties=False)
    activations = np.full(20, 0.1, dtype=np.float32)
    activations[7] = 1
    found = select_examples(activations, world.embeddings, 10)
    assert found.activating.tolist() == [7, *range(7), 8, 9]
    assert (found.contrastive != found.activating).all()
    assert (found.contrastive >= 0).all()


def test_silent_images_are_no_examples_where_few_fire() -> None:
    world = make_world(1, 20, 5, ties=False)
    activations = np.zeros(20, dtype=np.float32)
    activations[[7, 11, 3]] = [1, 2, -1]
    assert select_examples(activations, world.embeddings, 10).activating.tolist() == [11, 7]
    assert select_examples(-np.abs(activations), world.embeddings, 10).activating.size == 0


@pytest.mark.parametrize("value", [0.1, 1e30])
def test_a_constant_neuron_has_no_twins(value: float) -> None:
    world = make_world(2, 37, 5, ties=False)
    found = select_examples(np.full(37, value, dtype=np.float32), world.embeddings, 4)
    assert found.activating.tolist() == [0, 1, 2, 3]
    assert found.contrastive.tolist() == [-1] * 4
    assert np.isnan(found.similarity).all()


def test_non_finite_activations_are_left_out() -> None:
    world = make_world(3, 12, 5, ties=False)
    activations = np.arange(12, dtype=np.float32)
    activations[[11, 10, 0]] = [np.nan, np.inf, -np.inf]
    found = select_examples(activations, world.embeddings, 30)
    assert found.activating.tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert found.mean_activation == 5
    assert set(found.contrastive.tolist()) <= {1, 2, 3, 4}


def test_a_neuron_without_any_finite_activation_has_no_examples() -> None:
    world = make_world(3, 12, 5, ties=False)
    found = select_examples(np.full(12, np.nan, dtype=np.float32), world.embeddings, 5)
    assert len(found.activating) == len(found.contrastive) == len(found.similarity) == 0
    assert found.mean_activation == 0


def test_without_reuse_the_pool_may_run_out() -> None:
    world = make_world(4, 6, 5, ties=False)
    found = select_examples(np.float32([9, 9, 9, 0, 1, 9]), world.embeddings, 4, reuse=False)
    assert found.contrastive.tolist().count(-1) == 2
    assert (found.contrastive[2:] == -1).all()


def test_bad_input_is_refused_with_a_sentence() -> None:
    world = make_world(5, 8, 5, ties=False)
    with pytest.raises(BadInputError, match="number of examples is 0"):
        select_examples(world.activations, world.embeddings, 0)
    with pytest.raises(BadInputError, match="7 images but embeddings of 8"):
        check_probe(world.activations[:7], world.embeddings)
    with pytest.raises(BadInputError, match="shape"):
        check_probe(world.activations, world.embeddings[0])
    with pytest.raises(BadInputError, match="no image"):
        check_probe(world.activations[:0], world.embeddings[:0])
