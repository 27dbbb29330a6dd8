"""Contrast rules other than the paper's: against slow twins, by invariants, and as text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.examples.contrast_rule import PAPER_RULE, ContrastRule, cold_images, parse_rule
from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import mean_activation, select_examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.projection import concept_vector, residuals
from tests.method import slow
from tests.method.examples.test_select import assert_same
from tests.method.worlds import World, make_world, worlds

ks, quantiles = st.integers(1, 12), st.none() | st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.9])
rules = st.builds(ContrastRule, quantile=quantiles, neighbours=st.integers(1, 5))


@given(worlds(), ks, st.booleans(), rules)
def test_equal_to_the_slow_twin(world: World, k: int, reuse: bool, rule: ContrastRule) -> None:
    found = select_examples(world.activations, world.embeddings, k, reuse=reuse, rule=rule)
    expected = slow.nearest(world.activations, world.embeddings, k, reuse, rule.quantile, rule.neighbours)
    further = found.further if found.further is not None else np.empty((len(found.activating), 0), int)
    assert np.column_stack([found.contrastive, further]).tolist() == expected


@given(worlds(), ks, st.booleans(), rules, st.integers(1, 40))
def test_stored_neighbours_change_nothing(
    world: World, k: int, reuse: bool, rule: ContrastRule, stored: int
) -> None:
    neighbours = nearest_neighbours(world.embeddings, stored)
    exact = select_examples(world.activations, world.embeddings, k, reuse=reuse, rule=rule)
    fast = select_examples(
        world.activations, world.embeddings, k, reuse=reuse, rule=rule, neighbours=neighbours
    )
    assert_same(fast, exact)
    np.testing.assert_array_equal(fast.further, exact.further)


@pytest.mark.parametrize("reuse", [True, False])
def test_a_layer_at_once_finds_what_each_neuron_finds(reuse: bool) -> None:
    world = make_world(6, 60, 5, ties=False)
    layer = np.maximum(np.random.default_rng(1).normal(size=(60, 7)), 0).astype(np.float32)
    rule = ContrastRule(quantile=0.4, neighbours=3, least=0.2)
    neighbours = nearest_neighbours(world.embeddings, 6)
    found = select_all(layer, world.embeddings, 8, reuse=reuse, neighbours=neighbours, rule=rule)
    for neuron, examples in enumerate(found):
        alone = select_examples(layer[:, neuron], world.embeddings, 8, reuse=reuse, rule=rule)
        assert_same(examples, alone)
        np.testing.assert_array_equal(examples.further, alone.further)


@given(worlds(), st.floats(0.01, 0.99))
def test_a_quantile_leaves_its_share_cold(world: World, quantile: float) -> None:
    values = world.activations
    cold = cold_images(values, mean_activation(values), ContrastRule(quantile=quantile))
    varies = values.min() < values.max()
    top = np.count_nonzero(values == values.max())
    assert cold.sum() >= varies * min(math.ceil(quantile * len(values)), len(values) - top)
    assert not cold[values == values.max()].any()


def test_a_neuron_that_is_silent_on_most_images_has_cold_ones_at_any_quantile() -> None:
    values = np.float32([0, 0, 0, 0, 0, 0, 1, 2])
    assert cold_images(values, 3 / 8, ContrastRule(quantile=0.1)).tolist() == [True] * 6 + [False] * 2
    nothing = cold_images(np.full(3, np.nan, np.float32), 0.0, ContrastRule(quantile=0.5))
    assert not nothing.any()


@given(worlds(), ks, st.floats(-1, 1))
def test_pairs_under_the_least_similarity_are_left_out(world: World, k: int, least: float) -> None:
    every = select_examples(world.activations, world.embeddings, k)
    found = select_examples(world.activations, world.embeddings, k, rule=ContrastRule(least=least))
    kept = ~(every.similarity < least)
    np.testing.assert_array_equal(found.activating, every.activating[kept])
    np.testing.assert_array_equal(found.contrastive, every.contrastive[kept])
    np.testing.assert_array_equal(found.similarity, every.similarity[kept])


@given(worlds(), ks, st.integers(2, 5), st.floats(0, 1))
def test_residuals_of_several_neighbours(world: World, k: int, count: int, gamma: float) -> None:
    """r_p = e_p - gamma (e_p . u) u, u the normalised mean of the neighbours, in plain loops."""
    examples = select_examples(world.activations, world.embeddings, k, rule=ContrastRule(neighbours=count))
    twins = slow.nearest(world.activations, world.embeddings, k, True, count=count)
    found = residuals(examples, world.embeddings, gamma)
    for p, neighbours, residual in zip(examples.activating, twins, found, strict=True):
        total = [
            math.fsum(float(world.embeddings[j][x]) for j in neighbours if j >= 0)
            for x in range(found.shape[1])
        ]
        length = math.sqrt(math.fsum(x * x for x in total))
        if length < 1e-3:
            continue  # neighbours that cancel have no direction but rounding errors
        unit = np.array(total) / length
        expected = world.embeddings[p] - gamma * slow.cosine(world.embeddings[p], unit) * unit
        np.testing.assert_allclose(residual, expected, atol=1e-5)


def test_one_neighbour_among_several_is_the_paper_rule() -> None:
    """Where a single image is cold, asking for several neighbours changes nothing."""
    world = make_world(3, 9, 5, ties=False)
    values = np.float32([5, 5, 5, 5, 0, 5, 5, 5, 5])
    one, several = (
        concept_vector(select_examples(values, world.embeddings, 4, rule=rule), world.embeddings, 1.0)
        for rule in (PAPER_RULE, ContrastRule(neighbours=4))
    )
    np.testing.assert_allclose(one, several, atol=1e-6)


@given(
    st.builds(
        ContrastRule,
        quantile=quantiles | st.floats(0, 1, exclude_min=True, exclude_max=True),
        neighbours=st.integers(1, 50),
        least=st.none() | st.floats(-1, 1),
    )
)
def test_text_and_back(rule: ContrastRule) -> None:
    assert parse_rule(str(rule)) == rule


def test_the_usual_is_called_mean() -> None:
    assert str(PAPER_RULE) == "mean"
    assert parse_rule("mean, neighbours:3") == ContrastRule(neighbours=3)
    assert str(ContrastRule(0.1, 5, 0.8)) == "quantile:0.1,neighbours:5,least:0.8"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "can't be read"),
        ("median", "can't be read"),
        ("quantile:", "can't be read"),
        ("quantile:ten", "can't be read"),
        ("neighbours:2.5", "can't be read"),
        ("mean,quantile:0.1", "can't be read"),
        ("mean,mean", "can't be read"),
        ("quantile:1", "between 0 and 1"),
        ("quantile:nan", "between 0 and 1"),
        ("neighbours:0", "choose 1 to 50"),
        ("least:2", "from -1 to 1"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        parse_rule(text)
