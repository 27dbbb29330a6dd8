"""The labeler that asks two others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import select_examples
from csp.method.labelers.bootstrap import stability
from csp.method.labelers.consensus import consensus, standardised
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.projection import concept_vector
from tests.method.worlds import World, make_world, worlds


def evidence_of(world: World, k: int = 5) -> Evidence:
    return Evidence(
        world.activations, world.embeddings, select_examples(world.activations, world.embeddings, k)
    )


def z(scores: np.ndarray) -> np.ndarray:
    deviation = float(np.std(scores.astype(float)))
    return (scores - scores.astype(float).mean()) / deviation if deviation > 1e-6 else 0 * scores


def slow(evidence: Evidence, texts: np.ndarray, k: int) -> np.ndarray:
    """The formula, text by text."""
    five = select_examples(evidence.activations, evidence.embeddings, k, rule=ContrastRule(neighbours=5))
    covariance = np.atleast_2d(np.cov(evidence.embeddings.astype(float).T, bias=True))
    size = covariance.trace() / len(covariance)
    metric = np.linalg.inv(covariance / (size or 1.0) + np.eye(len(covariance)))
    own = texts.astype(float) - texts.astype(float).mean(axis=0)
    values = evidence.activations.astype(float)
    deviation = values - values.mean()
    pull = deviation @ evidence.embeddings / max(np.linalg.norm(deviation), 1e-12)

    def lengths(by: np.ndarray) -> np.ndarray:
        squared = np.array([one @ by @ one for one in own])
        return np.sqrt(squared + squared.mean())

    def member(direction: np.ndarray) -> np.ndarray:
        size = np.sqrt(direction @ metric @ direction)
        return own @ metric @ direction / lengths(metric) / size if size > 1e-6 else np.zeros(len(texts))

    contrast = concept_vector(five, evidence.embeddings, 1.0).astype(float)
    scores = (z(member(contrast)) + z(member(pull))) / 2
    fits = own @ pull / np.maximum(lengths(covariance), 1e-9)
    best = int(scores.argmax())
    kin = [
        text
        for text in range(len(texts))
        if scores[text] >= 0.8 * scores[best]
        and (
            text == best
            or own[text] @ own[best] >= 0.5 * np.linalg.norm(own[text]) * np.linalg.norm(own[best])
        )
    ]
    first = max(kin, key=lambda text: (fits[text], text == best))
    if scores[best] > 0:
        scores[[best, first]] = scores[[first, best]]
    return scores


@settings(max_examples=30)
@given(worlds(), st.integers(1, 10))
def test_it_is_the_mean_of_standardised_scores_and_the_best_of_kin_comes_first(world: World, k: int) -> None:
    evidence = evidence_of(world, k)
    fires = evidence.examples.activating.size and (evidence.examples.activation > 0).any()
    expected = slow(evidence, world.texts, k) if fires else np.zeros(len(world.texts))
    np.testing.assert_allclose(np.sort(consensus(evidence, world.texts, 0.3)), np.sort(expected), atol=1e-4)


def test_of_kin_the_one_that_goes_with_the_firing_comes_first() -> None:
    """A neuron that follows a whole branch, and a text for the branch beside one for a leaf of it."""
    rng = np.random.default_rng(0)
    leaf = rng.integers(4, size=400)
    leaves = np.eye(8)[:4] + np.eye(8)[[4, 4, 5, 5]]
    embeddings = leaves[leaf] + 0.3 * rng.standard_normal((400, 8))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    texts = np.concatenate(
        [leaves, np.eye(8)[[4, 5]] + 0.4 * leaves[[0, 2]] + 0.3 * leaves[[1, 3]], np.eye(8)]
    )
    texts = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    activations = ((leaf < 2) * rng.uniform(0.5, 1.5, 400)).astype(np.float32)
    evidence = Evidence(activations, embeddings, select_examples(activations, embeddings, 30))
    assert consensus(evidence, texts, 1.0).argmax() == 4


def test_stored_neighbours_and_the_contrast_rule_change_nothing() -> None:
    world = make_world(3, 60, 8, ties=False)
    plain = evidence_of(world)
    other = select_examples(world.activations, world.embeddings, 5, rule=ContrastRule(quantile=0.1))
    stored = replace(plain, neighbours=nearest_neighbours(world.embeddings, 20), examples=other)
    np.testing.assert_array_equal(consensus(plain, world.texts, 1.0), consensus(stored, world.texts, 1.0))


def test_a_text_from_outside_is_measured_by_the_vocabulary() -> None:
    world = make_world(4, 60, 8, ties=False)
    known = len(world.texts) - 2
    evidence = replace(evidence_of(world), vocabulary=known)
    alone = consensus(evidence, world.texts[:known], 1.0)
    beside = consensus(evidence, world.texts, 1.0)
    assert beside.shape == world.texts.shape[:1]
    np.testing.assert_allclose(beside[:known], alone, atol=1e-5)
    assert beside[:known].mean() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("images", [1, 2, 40])
@pytest.mark.parametrize("texts", [1, 2, 12])
def test_where_texts_cannot_be_told_apart_each_scores_0(images: int, texts: int) -> None:
    world = make_world(5, images, 6, ties=False)
    alike = np.repeat(world.texts[:1], texts, axis=0)
    firing = replace(world, activations=np.abs(world.activations) + 1)
    assert consensus(evidence_of(firing), alike, 1.0).tolist() == [0.0] * texts
    assert np.isfinite(consensus(evidence_of(firing), world.texts, 1.0)).all()
    assert stability("consensus", evidence_of(firing), alike, 1.0, 0).rival == 0


def test_a_neuron_alike_on_all_images_is_labelled_by_what_the_others_say() -> None:
    world = make_world(6, 40, 6, ties=False)
    constant = replace(world, activations=np.ones(40, dtype=np.float32))
    assert np.isfinite(consensus(evidence_of(constant), world.texts, 1.0)).all()


def test_flat_scores_say_nothing() -> None:
    noise = np.float32([[0.5, 0.5 + 1e-8, 0.5], [1, 2, 3]])
    found = standardised(noise)
    assert found[0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(found[1], [-1.2247, 0, 1.2247], atol=1e-4)


def test_its_bootstrap_scores_as_it_does() -> None:
    """Over examples and images drawn again the scores lie around those of all."""
    world = make_world(7, 200, 8, ties=False)
    evidence = evidence_of(world, 30)
    scores = consensus(evidence, world.texts, 1.0)
    found = stability("consensus", evidence, world.texts, 1.0, int(scores.argmax()))
    assert 0 < found.chance <= 1
    intervals = [found.interval(text) for text in range(len(scores))]
    assert np.mean([low <= score <= high for score, (low, high) in zip(scores, intervals, strict=True)]) > 0.8
