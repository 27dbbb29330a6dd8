"""Measures of what an encoder sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.method.sight import auroc_interval, class_share, image_deviation, text_deviation
from tests.method.worlds import World, unit, worlds


def named_images(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of five things, texts that name these, and which thing each image shows."""
    rng = np.random.default_rng(seed)
    things = unit(rng.normal(size=(5, 40)))
    shown = rng.integers(5, size=300)
    images = unit(things[shown] + 0.1 * rng.normal(size=(300, 40)) + 0.5)
    texts = unit(things[rng.integers(5, size=60)] + 0.1 * rng.normal(size=(60, 40)) - 0.5)
    return images, texts, shown


@given(worlds())
def test_deviations_are_those_of_the_cosines(world: World) -> None:
    cosines = world.embeddings.astype(np.float64) @ world.texts.T.astype(np.float64)
    centred = cosines - cosines.mean(axis=1, keepdims=True)
    assert text_deviation(world.embeddings, world.texts) == pytest.approx(
        np.sqrt((centred**2).mean()), abs=1e-6
    )
    both = centred - centred.mean(axis=0)
    found = image_deviation(world.embeddings, world.texts, np.random.default_rng(0))
    assert found.value == pytest.approx(np.sqrt((both**2).mean()), abs=1e-6)
    assert found.high >= found.chance * 0.9 >= 0


@given(worlds(), st.integers(1, 4))
def test_the_share_between_classes_is_one_of_the_variance(world: World, classes: int) -> None:
    codes = np.arange(len(world.embeddings)) % classes
    found = class_share(world.embeddings, world.texts, codes, np.random.default_rng(0))
    assert -1e-9 <= found.value <= 1 + 1e-9
    if classes == 1:
        assert found.value == pytest.approx(0, abs=1e-9)


def test_an_encoder_that_sees_is_above_chance_and_one_that_does_not_is_not() -> None:
    images, texts, shown = named_images(0)
    rng = np.random.default_rng(1)
    assert image_deviation(images, texts, rng).above
    assert class_share(images, texts, shown, rng).above
    above = 0
    for seed in range(20):
        turned = np.linalg.qr(np.random.default_rng(seed).normal(size=(40, 40)))[0]
        above += image_deviation(images, (texts @ turned).astype(np.float32), rng).above
    assert above <= 4, "one in twenty"
    assert not class_share(images, texts, rng.permutation(shown), rng).above


def test_the_interval_of_an_auroc() -> None:
    low, high = auroc_interval(0.9, 50, 50)
    assert (low, high) == (pytest.approx(0.8366, abs=2e-3), pytest.approx(0.9634, abs=2e-3))
    assert auroc_interval(1.0, 10, 10) == (1.0, 1.0)
    assert auroc_interval(0.5, 1, 1) == (0.0, 1.0)
