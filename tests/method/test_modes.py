"""Which images surely show what a text names: by two heaps of readings, without anybody giving a cut."""

import numpy as np
import pytest
from scipy.stats import norm

from csp.method.modes import Modes, heaps
from tests.method.worlds import unit


def readings(share: float, apart: float, images: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    shown = rng.random(images) < share
    return shown, 5 + 0.1 * (apart * shown + rng.normal(size=images))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
def test_two_heaps_are_told_apart(share: float) -> None:
    shown, values = readings(share, 5)
    found = heaps(values[:, None])
    assert found.apart.all()
    assert found.share[0] == pytest.approx(shown.mean(), abs=0.02)
    assert [found.lower[0], found.upper[0], found.spread[0]] == pytest.approx([5, 5.5, 0.1], abs=0.02)
    assert ((found.chances(values[:, None])[:, 0] > 0.5) == shown).mean() > 0.98


def test_one_heap_and_what_does_not_vary_are_not_two() -> None:
    _, values = readings(0, 0)
    found = heaps(np.stack([values, np.ones_like(values)], axis=1))
    assert not found.apart.any()


def test_the_gain_is_in_log_likelihood() -> None:
    """The slow twin: densities of the standardised readings by scipy."""
    _, values = readings(0.3, 4)
    found, standard = heaps(values[:, None]), (values - values.mean()) / values.std()
    low, high, spread, share = (
        (found.lower - values.mean()) / values.std(),
        (found.upper - values.mean()) / values.std(),
        found.spread / values.std(),
        found.share,
    )
    two = (1 - share) * norm.pdf(standard, low, spread) + share * norm.pdf(standard, high, spread)
    assert found.gain[0] == pytest.approx(np.log(two).sum() - norm.logpdf(standard).sum())


def test_a_broad_direction_that_all_things_share_is_whitened_away() -> None:
    """And what is asked for again, or after others, is answered alike."""
    rng = np.random.default_rng(2)
    shown = rng.random((1500, 3)) < 0.3
    directions = np.eye(16)[:3] + 0.8 * np.eye(16)[3]
    light = 0.5 * rng.normal(size=(1500, 1)) * np.eye(16)[3]
    embeddings = unit(shown @ directions + light + 4 * np.eye(16)[4] + 0.1 * rng.normal(size=(1500, 16)))
    texts = np.concatenate([unit(directions), unit(rng.normal(size=(20, 16)))])
    modes = Modes(embeddings.astype(np.float32), texts.astype(np.float32))
    states = modes.states([0, 1, 2])
    assert modes.apart([0, 1, 2]).all()
    for thing in range(3):
        assert shown[states[:, thing] > 0, thing].mean() > 0.95
        assert shown[states[:, thing] < 0, thing].mean() < 0.05
    assert np.array_equal(modes.states([2, 0]), states[:, [2, 0]])
    everyone = np.arange(len(shown))
    assert modes.most_like(everyone, shown[:, 1].astype(float), np.ones(23, dtype=bool), 5)[0] == 1
    assert modes.most_like(everyone, shown[:, 1].astype(float), np.arange(23) != 1, 5)[:1] != [1]
