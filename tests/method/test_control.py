"""Shuffled neurons as the null of labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.control import HIGH, Noise, by_chance, dealt_neurons, shuffled
from csp.method.examples.select import select_examples
from csp.method.labelers.correlation import correlation
from csp.method.labelers.evidence import Evidence
from tests.method.worlds import World, unit, worlds


@given(worlds(), st.integers(0, 2**32 - 1))
def test_a_shuffle_keeps_what_each_part_holds(world: World, seed: int) -> None:
    rng = np.random.default_rng(seed)
    decides = rng.random(len(world.activations)) < 0.5
    dealt = shuffled(world.activations, decides, rng)
    for part in (decides, ~decides):
        assert sorted(dealt[part]) == sorted(world.activations[part])
    assert sorted(shuffled(world.activations, None, rng)) == sorted(world.activations)


@given(st.integers(1, 9), st.integers(1, 40))
def test_no_neuron_serves_twice_before_all_served(neurons: int, draws: int) -> None:
    chosen = dealt_neurons(range(neurons), draws, np.random.default_rng(0))
    counts = np.bincount(chosen, minlength=neurons)
    assert len(chosen) == draws
    assert counts.max() - counts.min() <= 1


def test_noise_tells_what_it_reaches() -> None:
    noise = Noise(np.arange(1.0, 20.0))
    assert noise.mean == 10
    assert noise.above(np.array([np.nan, noise.high, 19.1])).tolist() == [False, False, True]
    assert noise.reached(np.array([np.nan, 1.0, 10.0, 20.0])).tolist() == [1.0, 1.0, 0.55, 0.05]


def test_the_pooled_null_holds_for_the_layer() -> None:
    """Of fresh shuffles of all neurons, 5 % score above the 95 % quantile of the pool, whoever fires."""
    rng = np.random.default_rng(7)
    centres = unit(rng.normal(size=(6, 16)))
    images = unit(centres[rng.integers(6, size=400)] + 0.3 * rng.normal(size=(400, 16)))
    texts = unit(rng.normal(size=(30, 16)) + 0.5)
    sparse = rng.random((400, 20)) < np.linspace(0.05, 1, 20)
    layer = (np.maximum(images @ unit(rng.normal(size=(20, 16))).T, 0) ** 3 * sparse).astype(np.float32)

    def best(neuron: int) -> float:
        activations = shuffled(layer[:, neuron], None, rng)
        evidence = Evidence(activations, images, select_examples(activations, images, 20))
        return float(correlation(evidence, texts, 1.0).max())

    pool = Noise(np.sort([best(neuron) for neuron in dealt_neurons(range(20), 256, rng)]))
    fresh = np.array([best(neuron) for neuron in range(20) for _ in range(50)])
    assert np.mean(pool.above(fresh)) == pytest.approx(1 - HIGH, abs=0.025)
    assert fresh.mean() == pytest.approx(pool.mean, abs=0.01)


def test_counts_by_chance() -> None:
    assert by_chance(0, 256, 0).expected == 0
    half = by_chance(128, 256, 100)
    assert half.expected == 50
    assert 55 < half.high < 65
    rare = by_chance(0, 256, 1000)
    assert 0 < rare.expected < 3
    assert rare.high > rare.expected
