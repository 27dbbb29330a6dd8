"""The bootstrap at once against the bootstrap one resampling after the other."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.method.examples.select import Examples, contrasted, select_examples
from csp.method.labelers.bootstrap import (
    SEED,
    Stability,
    drawn,
    one_after_the_other,
    stability,
)
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Resampled
from csp.method.labelers.registry import LABELERS
from csp.method.labelers.resampling import RESAMPLES
from tests.method.worlds import World, make_world, unit, worlds

SHOWN = 20
"""Resamplings that the slow twin goes through."""


def firing(world: World) -> World:
    activations = world.activations.copy()
    activations[0] = 3.5
    return dataclasses.replace(world, activations=activations)


def evidence_of(world: World, k: int) -> Evidence:
    return Evidence(
        world.activations, world.embeddings, select_examples(world.activations, world.embeddings, k)
    )


def resampled_by(labeler: str) -> Resampled:
    found = LABELERS[labeler].resampled
    assert found is not None
    return found


def again(examples: Examples, draw: np.ndarray) -> Examples:
    """The examples of one resampling."""
    fields = ("activating", "activation", "contrastive", "contrastive_activation", "similarity")
    return dataclasses.replace(examples, **{name: getattr(examples, name)[draw] for name in fields})


@settings(max_examples=30)
@given(worlds().map(firing), st.integers(1, 10), st.sampled_from([0.0, 0.5, 1.0]))
@pytest.mark.parametrize("labeler", ["csp", "semanticlens", "clip-dissect-mean", "falcon"])
def test_all_resamplings_at_once_equal_one_after_the_other(
    labeler: str, world: World, k: int, gamma: float
) -> None:
    evidence = evidence_of(world, k)
    found = resampled_by(labeler)(evidence, world.texts, gamma, np.random.default_rng(SEED))
    draws = drawn(np.random.default_rng(SEED), len(evidence.examples.activating))
    assert found.shape == (RESAMPLES, len(world.texts))
    for scores, draw in zip(found[:SHOWN], draws, strict=False):
        one = dataclasses.replace(evidence, examples=again(evidence.examples, draw))
        expected = LABELERS[labeler](one, world.texts, gamma)
        if labeler == "csp" and not expected.any():
            continue  # residuals that cancel have no direction but rounding errors
        np.testing.assert_allclose(scores, expected, atol=2e-3 if labeler == "csp" else 1e-4)


@settings(max_examples=30)
@given(worlds(ties=False).map(firing))
def test_correlation_draws_images_again(world: World) -> None:
    """The covariance of a resampling, over the spreads of all images."""
    evidence = evidence_of(world, 5)
    found = resampled_by("correlation")(evidence, world.texts, 1.0, np.random.default_rng(SEED))
    draws = drawn(np.random.default_rng(SEED), len(world.activations))
    cosines = world.embeddings.astype(float) @ world.texts.T.astype(float)
    values = world.activations.astype(float)
    spreads = np.linalg.norm(values - values.mean()) * np.linalg.norm(cosines - cosines.mean(axis=0), axis=0)
    for scores, draw in zip(found[:SHOWN], draws, strict=False):
        a, c = values[draw], cosines[draw]
        together = (a - a.mean()) @ (c - c.mean(axis=0))
        expected = np.clip(together / np.maximum(spreads, 1e-12), -1, 1)
        np.testing.assert_allclose(scores, np.where(spreads > 1e-4, expected, scores), atol=1e-3)


def one_sided(noise: float) -> Stability:
    """Thirty examples along the first text's direction, the second text's being orthogonal."""
    rng = np.random.default_rng(1)
    embeddings = np.tile(np.float32([1, 0, 0]), (60, 1))
    embeddings = unit(embeddings + noise * rng.normal(size=(60, 3)))
    activations = np.where(np.arange(60) < 30, 1, 0).astype(np.float32)
    world = World(activations, embeddings, np.float32([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]]))
    evidence = evidence_of(world, 30)
    first = int(LABELERS["semanticlens"](evidence, world.texts, 1.0).argmax())
    return stability("semanticlens", evidence, world.texts, 1.0, first)


def test_examples_that_agree_make_a_stable_label() -> None:
    sure, unsure = one_sided(0.05), one_sided(4.0)
    assert (sure.first, sure.chance, sure.rival) == (0, 1.0, 0)
    assert unsure.chance < 0.7
    assert unsure.rival != unsure.first
    assert all(np.diff(sure.interval(text)) < np.diff(unsure.interval(text)) for text in range(3))


def test_the_same_neuron_gives_the_same_answer_and_the_interval_holds_the_score() -> None:
    world = firing(make_world(5, 40, 8, ties=False))
    evidence = evidence_of(world, 12)
    scores = LABELERS["csp"](evidence, world.texts, 1.0)
    one, two = (stability("csp", evidence, world.texts, 1.0, int(scores.argmax())) for _ in range(2))
    assert one.chance == two.chance
    intervals = [one.interval(text) for text in range(len(scores))]
    assert intervals == [two.interval(text) for text in range(len(scores))]
    assert np.mean([low <= score <= high for score, (low, high) in zip(scores, intervals, strict=True)]) > 0.8


def test_a_labeler_without_a_bootstrap_of_its_own_is_asked_again_and_again() -> None:
    world = firing(make_world(5, 40, 8, ties=False))
    evidence = evidence_of(world, 12)
    for labeler in ("semanticlens", "falcon"):
        slowly = one_after_the_other(labeler)(evidence, world.texts, 1.0, np.random.default_rng(SEED))
        at_once = resampled_by(labeler)(evidence, world.texts, 1.0, np.random.default_rng(SEED))
        np.testing.assert_allclose(slowly, at_once, atol=1e-4)


def test_drawing_silent_examples_alone_is_not_a_vote() -> None:
    """Examples given by hand, one of twelve fires: a third of the resamplings miss it."""
    world = make_world(6, 40, 8, ties=False)
    activations = np.zeros(40, dtype=np.float32)
    activations[3] = 2
    examples = contrasted(activations, world.embeddings, np.r_[3, 20:31])
    evidence = Evidence(activations, world.embeddings, examples)
    scores = LABELERS["csp"](evidence, world.texts, 1.0)
    found = stability("csp", evidence, world.texts, 1.0, int(scores.argmax()))
    assert found.chance == pytest.approx(1 - (11 / 12) ** 12, abs=0.1)
    assert found.rival == found.first
