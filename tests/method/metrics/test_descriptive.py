"""SemanticLens' numbers by hand, against slow twins, and by invariants."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.metrics.descriptive import clarity, polysemanticity, redundancy, two_means
from tests.method import slow
from tests.method.worlds import unit


def directions(seed: int, k: int, d: int = 4) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(k, d)) + 0.3)


seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(2, 12))
def test_clarity_is_the_mean_cosine_of_pairs(seed: int, k: int) -> None:
    examples = directions(seed, k)
    pairs = [slow.cosine(p, q) for p, q in itertools.combinations(examples, 2)]
    assert clarity(examples) == pytest.approx(math.fsum(pairs) / len(pairs), abs=1e-5)
    assert -1 / (k - 1) - 1e-6 <= clarity(examples) <= 1 + 1e-6


def test_clarity_by_hand() -> None:
    assert clarity(np.float32([[1, 0], [1, 0]])) == pytest.approx(1)
    assert clarity(np.float32([[1, 0], [0, 1]])) == pytest.approx(0)
    assert clarity(np.float32([[1, 0], [-1, 0]])) == pytest.approx(-1)
    assert np.isnan(clarity(np.float32([[1, 0]])))


@given(seeds, st.integers(2, 9))
def test_redundancy_is_the_highest_cosine_to_another(seed: int, c: int) -> None:
    vectors = directions(seed, c)
    expected = [
        max(slow.cosine(v, w) for j, w in enumerate(vectors) if j != i) for i, v in enumerate(vectors)
    ]
    np.testing.assert_allclose(redundancy(vectors), expected, atol=1e-6)


def test_a_neuron_that_never_fires_is_nobody_else() -> None:
    vectors = np.float32([[1, 0], [0, 0], [0.6, 0.8]])
    np.testing.assert_allclose(redundancy(vectors), [0.6, np.nan, 0.6], atol=1e-6)
    assert np.isnan(redundancy(vectors[:2])).all()


def within(examples: np.ndarray, group: tuple[int, ...]) -> float:
    members = examples[list(group)].astype(float)
    return float(((members - members.mean(axis=0)) ** 2).sum())


@given(seeds, st.integers(4, 8))
def test_the_groups_are_the_best_there_are(seed: int, k: int) -> None:
    """Against every way to split the examples in two; Lloyd may end a hair above the best, seldom."""
    rng = np.random.default_rng(seed)
    centres = directions(seed, 2, 6)
    examples = unit(centres[rng.integers(2, size=k)] + 0.3 * rng.normal(size=(k, 6)))
    splits = [part for size in range(1, k) for part in itertools.combinations(range(k), size) if 0 in part]

    def cost(part: tuple[int, ...]) -> float:
        rest = tuple(i for i in range(k) if i not in part)
        return within(examples, part) + within(examples, rest)

    group = two_means(examples.astype(np.float64) @ examples.T.astype(np.float64))
    found = cost(tuple(np.flatnonzero(group))) if 0 < group.sum() < k else within(examples, tuple(range(k)))
    assert found <= min(map(cost, splits)) * 1.1 + 1e-6


@given(seeds, st.integers(2, 6), st.integers(2, 6))
def test_polysemanticity_of_two_groups(seed: int, left: int, right: int) -> None:
    """Two tight groups: one minus the cosine of their means, in plain arithmetic."""
    rng = np.random.default_rng(seed)
    one, two = np.eye(5)[0], np.eye(5)[1] * 0.9 + np.eye(5)[0] * rng.uniform(-0.5, 0.5)
    groups = [
        unit(centre + 0.02 * rng.normal(size=(size, 5))) for centre, size in ((one, left), (two, right))
    ]
    means = [group.astype(float).mean(axis=0) for group in groups]
    cosine = means[0] @ means[1] / (np.linalg.norm(means[0]) * np.linalg.norm(means[1]))
    examples = np.concatenate(groups)[rng.permutation(left + right)]
    assert polysemanticity(examples) == pytest.approx(1 - cosine, abs=1e-4)


def test_one_odd_image_does_not_make_a_neuron_polysemantic() -> None:
    rng = np.random.default_rng(0)
    alike = unit(np.eye(5)[0] + 0.02 * rng.normal(size=(20, 5)))
    odd = np.concatenate([alike, np.float32([[0, 0, 0, 0, 1]])])
    mean = odd.astype(float).mean(axis=0)
    expected = 1 - (odd @ mean / np.linalg.norm(mean)).mean()
    assert polysemanticity(odd) == pytest.approx(expected, abs=1e-5)
    assert polysemanticity(odd) < 0.1


def test_identical_examples_have_one_meaning() -> None:
    assert polysemanticity(np.tile(np.float32([[0.6, 0.8]]), (6, 1))) == pytest.approx(0, abs=1e-6)
    assert np.isnan(polysemanticity(np.float32([[1, 0]])))
