"""Concept vectors and text scores against their slow twins and the paper's identities."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.checks import check_texts
from csp.method.examples.select import Examples, select_examples
from csp.method.labelers.projection import (
    LayerExamples,
    concept_vector,
    gamma_ends,
    layer_gamma_ends,
    mean_text_embedding,
    plain_mean_vector,
    project,
    residuals,
    weights,
)
from tests.method import slow
from tests.method.worlds import World, make_world, unit, worlds

ks = st.integers(1, 12)
gammas = st.floats(0, 1)


@given(worlds(ties=False), ks, st.booleans(), gammas)
def test_concept_vector_equals_its_slow_twin(world: World, k: int, reuse: bool, gamma: float) -> None:
    examples = select_examples(world.activations, world.embeddings, k, reuse=reuse)
    found = concept_vector(examples, world.embeddings, gamma)
    expected = slow.concept_vector(world.activations, world.embeddings, k, reuse, gamma)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # short residuals magnify float32 inputs


@given(worlds(), ks)
def test_gamma_0_is_the_activation_weighted_mean(world: World, k: int) -> None:
    examples = select_examples(world.activations, world.embeddings, k)
    weighted = examples.activation.astype(float) @ world.embeddings[examples.activating].astype(float)
    length = np.linalg.norm(weighted)
    expected = weighted / length if length > 0 else weighted
    np.testing.assert_allclose(concept_vector(examples, world.embeddings, 0.0), expected, atol=1e-5)


@given(worlds(), ks, st.booleans())
def test_gamma_1_leaves_nothing_of_the_twin(world: World, k: int, reuse: bool) -> None:
    examples = select_examples(world.activations, world.embeddings, k, reuse=reuse)
    left = residuals(examples, world.embeddings, 1.0)
    for residual, p, j in zip(left, examples.activating, examples.contrastive, strict=True):
        if j >= 0:
            assert residual @ world.embeddings[j] == pytest.approx(0, abs=1e-6)
        else:
            np.testing.assert_array_equal(residual, world.embeddings[p])


@given(worlds(), ks, gammas)
def test_vectors_are_of_unit_length_and_scores_cosines(world: World, k: int, gamma: float) -> None:
    examples = select_examples(world.activations, world.embeddings, k)
    vectors = [
        concept_vector(examples, world.embeddings, gamma),
        plain_mean_vector(examples, world.embeddings),
    ]
    for vector in vectors:
        length = np.linalg.norm(vector)
        assert length == pytest.approx(1, abs=1e-5) or length == 0
        scores = project(vector, world.texts)
        assert (np.abs(scores) <= 1).all()
        np.testing.assert_allclose(scores, [slow.cosine(vector, text) for text in world.texts], atol=1e-5)


@given(worlds(ties=False), ks, gammas, st.floats(0.01, 100))
def test_the_scale_of_activations_plays_no_part(world: World, k: int, gamma: float, scale: float) -> None:
    scaled = (world.activations * np.float32(scale)).astype(np.float32)
    vectors = [
        concept_vector(select_examples(a, world.embeddings, k), world.embeddings, gamma)
        for a in (world.activations, scaled)
    ]
    np.testing.assert_allclose(*vectors, atol=1e-4)


def by_hand(activation: list[float], similarity: list[float], contrastive: list[int]) -> Examples:
    return Examples(
        activating=np.array([0, 1]),
        activation=np.float32(activation),
        contrastive=np.array(contrastive),
        contrastive_activation=np.float32([0, 0]),
        similarity=np.float32(similarity),
        mean_activation=0.5,
    )


PLANE = np.float32([[1, 0], [0.6, 0.8], [0, 1]])


def test_worked_by_hand() -> None:
    examples = by_hand([3, 1], [0.0, 0.8], [2, 2])
    # residuals at gamma 1: (1, 0) and (0.6, 0.8 - 0.8); weights 3/4 and 1/4
    np.testing.assert_allclose(concept_vector(examples, PLANE, 1.0), [1, 0], atol=1e-6)
    # at gamma 1/2: (1, 0) and (0.6, 0.4), so the sum is (0.9, 0.1)
    np.testing.assert_allclose(concept_vector(examples, PLANE, 0.5), np.array([9, 1]) / 82**0.5, atol=1e-6)
    np.testing.assert_allclose(plain_mean_vector(examples, PLANE), np.array([2, 1]) / 5**0.5, atol=1e-6)


def test_negative_activations_weigh_nothing() -> None:
    np.testing.assert_array_equal(weights(by_hand([2, -1], [0, 0], [2, 2])), [1, 0])


@pytest.mark.parametrize("activation", [[0.0, 0.0], [-1.0, -2.0]])
def test_a_neuron_that_never_fires_has_the_zero_vector(activation: list[float]) -> None:
    examples = by_hand(activation, [0.0, 0.8], [2, 2])
    assert not concept_vector(examples, PLANE, 1.0).any()
    assert not plain_mean_vector(examples, PLANE).any()
    assert not project(concept_vector(examples, PLANE, 1.0), PLANE).any()


def test_twins_that_are_duplicates_leave_the_zero_vector() -> None:
    embeddings = unit(np.random.default_rng(0).normal(size=(2, 8)))[[0, 1, 0, 1]]
    examples = select_examples(np.float32([2, 1, 0, 0]), embeddings, 2)
    assert examples.contrastive.tolist() == [2, 3]
    assert not concept_vector(examples, embeddings, 1.0).any()


def test_no_examples_leave_the_zero_vector() -> None:
    world = make_world(0, 5, 4, ties=False)
    examples = select_examples(np.full(5, np.nan, dtype=np.float32), world.embeddings, 3)
    assert not concept_vector(examples, world.embeddings, 1.0).any()
    assert not plain_mean_vector(examples, world.embeddings).any()


def test_mean_text_embedding_by_hand() -> None:
    per_template = np.float32([[[2, 0]], [[0, 3]]])  # two templates, one text, not yet of unit length
    np.testing.assert_allclose(mean_text_embedding(per_template), [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    np.testing.assert_allclose(mean_text_embedding(per_template, renormalise=False), [[0.5, 0.5]], atol=1e-6)


@pytest.mark.parametrize("gamma", [-0.1, 1.01, float("nan")])
def test_gamma_outside_0_to_1_is_refused(gamma: float) -> None:
    with pytest.raises(BadInputError, match="gamma is"):
        concept_vector(by_hand([1, 1], [0, 0], [2, 2]), PLANE, gamma)


def test_texts_of_another_encoder_are_refused() -> None:
    with pytest.raises(BadInputError, match="same encoder"):
        check_texts(PLANE[0], np.zeros((3, 5), dtype=np.float32))


def test_the_vectors_of_a_layer_cost_no_copy_of_all_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be mapped and larger than memory."""
    monkeypatch.setattr("csp.method.labelers.projection.NEURONS_AT_ONCE", 2)
    rng, embeddings = np.random.default_rng(0), np.zeros((50_000, 16), np.float32)
    counts = np.array([3, 0, 2, 4, 1])
    images, nearest = rng.permutation(len(embeddings))[:20].reshape(2, 10)
    embeddings[[*images, *nearest]] = rng.normal(size=(20, 16))
    nearest[4] = -1
    activation, similarity = rng.random((2, 10)).astype(np.float32)
    ends = np.cumsum(counts)
    each = [
        gamma_ends(
            Examples(images[part], activation[part], nearest[part], activation[part], similarity[part], 0.0),
            embeddings,
        )
        for part in map(slice, ends - counts, ends)
    ]
    tracemalloc.start()
    found = layer_gamma_ends(LayerExamples(images, activation, nearest, similarity, counts), embeddings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < embeddings.nbytes / 4
    for side, expected in zip(found, zip(*each, strict=True), strict=True):
        np.testing.assert_allclose(side, np.stack(expected), atol=1e-6)
