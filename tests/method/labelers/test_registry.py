"""The labelers and the choice of the best labels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.examples.select import select_examples
from csp.method.labelers.clip_dissect import layer_prior
from csp.method.labelers.clip_dissect_mean import text_prior
from csp.method.labelers.correlation import text_spread
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import concept_vector, plain_mean_vector
from csp.method.labelers.registry import LABELERS, all_scores, best_labels, check_labeler
from tests.method import slow
from tests.method.worlds import World, make_world, worlds


def evidence_of(world: World, k: int, prior: np.ndarray | None = None) -> Evidence:
    examples = select_examples(world.activations, world.embeddings, k)
    return Evidence(world.activations, world.embeddings, examples, prior)


@given(worlds(), st.integers(1, 10))
def test_clip_dissect_mean_equals_its_slow_twin(world: World, k: int) -> None:
    found = LABELERS["clip-dissect-mean"](evidence_of(world, k), world.texts, 1.0)
    if world.activations.max() <= 0:
        assert not found.any()
    else:
        expected = slow.clip_dissect_mean(world.activations, world.embeddings, world.texts, k)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@settings(max_examples=30)
@given(worlds(), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_clip_dissect_equals_its_slow_twin(world: World, neurons: int, seed: int) -> None:
    """The original, with its prior over the neurons of the layer; one of them is broken in places."""
    rng = np.random.default_rng(seed)
    layer = np.column_stack([rng.permutation(world.activations) for _ in range(neurons)])
    layer[rng.random(len(layer)) < 0.1, 1] = np.nan
    evidence = replace(
        evidence_of(replace(world, activations=layer[:, 0]), 5),
        layer_prior=layer_prior([layer], world.embeddings, world.texts),
    )
    found = LABELERS["clip-dissect"](evidence, world.texts, 1.0)
    if world.activations.max() <= 0:
        assert not found.any()
    else:
        np.testing.assert_allclose(
            found, slow.soft_wpmi(layer, world.embeddings, world.texts, 0), atol=1e-4, rtol=1e-4
        )


def test_the_layer_prior_is_the_same_however_many_texts_are_taken_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world(11, 60, 8, ties=False)
    layer = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    whole = layer_prior([layer], world.embeddings, world.texts)
    monkeypatch.setattr("csp.method.labelers.clip_dissect.AT_ONCE", 200)
    np.testing.assert_allclose(layer_prior([layer], world.embeddings, world.texts), whole, rtol=1e-6)


def test_the_two_clip_dissects_name_different_labels() -> None:
    """As the original multiplies over images, one image that lacks a thing rules it out."""
    world = make_world(7, 200, 8, ties=False)
    evidence = evidence_of(world, 30)
    names = ("clip-dissect", "clip-dissect-mean")
    original, mean = (LABELERS[name](evidence, world.texts, 1.0) for name in names)
    assert np.argsort(original).tolist() != np.argsort(mean).tolist()


def test_a_text_prior_given_changes_nothing() -> None:
    world = make_world(7, 30, 8, ties=False)
    prior = text_prior(world.embeddings, world.texts)
    assert prior.sum() == pytest.approx(1)
    with_prior = LABELERS["clip-dissect-mean"](evidence_of(world, 5, prior), world.texts, 1.0)
    np.testing.assert_array_equal(
        with_prior, LABELERS["clip-dissect-mean"](evidence_of(world, 5), world.texts, 1.0)
    )


def test_csp_and_semanticlens_score_by_cosine_to_their_vectors() -> None:
    world = make_world(8, 30, 8, ties=False)
    evidence = evidence_of(world, 5)
    csp = concept_vector(evidence.examples, world.embeddings, 0.4)
    plain = plain_mean_vector(evidence.examples, world.embeddings)
    for text, by_csp, by_plain in zip(
        world.texts,
        LABELERS["csp"](evidence, world.texts, 0.4),
        LABELERS["semanticlens"](evidence, world.texts, 0.4),
        strict=True,
    ):
        assert by_csp == pytest.approx(slow.cosine(csp, text), abs=1e-6)
        assert by_plain == pytest.approx(slow.cosine(plain, text), abs=1e-6)


@pytest.mark.parametrize("name", LABELERS)
def test_a_labeler_says_whether_gamma_plays_a_part(name: str) -> None:
    world = make_world(9, 30, 8, ties=False)
    low, high = (LABELERS[name](evidence_of(world, 5), world.texts, gamma) for gamma in (0.0, 1.0))
    assert np.array_equal(low, high) != LABELERS[name].uses_gamma


@given(worlds(), st.integers(1, 10))
def test_falcon_equals_its_slow_twin(world: World, k: int) -> None:
    found = LABELERS["falcon"](evidence_of(world, k), world.texts, 1.0)
    if world.activations.max() <= 0:
        assert not found.any()
    else:
        expected = slow.falcon(world.activations, world.embeddings, world.texts, k)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert abs(found.sum()) < 1e-3 or (evidence_of(world, k).examples.contrastive < 0).all()


@given(worlds(), st.integers(0, 2**32 - 1))
def test_correlation_equals_its_slow_twin(world: World, seed: int) -> None:
    """Over the selected images only, and those with a finite activation."""
    rng = np.random.default_rng(seed)
    activations = world.activations.copy()
    activations[rng.random(len(activations)) < 0.1] = np.nan
    selection = rng.random(len(activations)) < 0.7
    examples = select_examples(activations, world.embeddings, 5)
    spread = text_spread(world.embeddings[selection], world.texts)
    evidence = Evidence(activations, world.embeddings, examples, None, selection, spread)
    found = LABELERS["correlation"](evidence, world.texts, 1.0)
    images = np.flatnonzero(selection & np.isfinite(activations)).tolist()
    for text, score in zip(world.texts, found, strict=True):
        cosines = [slow.cosine(world.embeddings[i], text) for i in images]
        values = [float(activations[i]) for i in images]
        varies = np.ptp(cosines or [0]) > 1e-4 and (examples.activation > 0).any()
        assert score == pytest.approx(slow.correlation(values, cosines) if varies else 0, abs=1e-3)


def test_correlation_never_looks_at_held_out_images() -> None:
    world = make_world(11, 40, 6, ties=False)
    selection = np.arange(40) < 20
    other = world.embeddings.copy()
    other[20:] = make_world(12, 20, 6, ties=False).embeddings
    examples = select_examples(world.activations, world.embeddings, 5)
    one, two = (
        LABELERS["correlation"](
            Evidence(world.activations, embeddings, examples, selection=selection), world.texts, 1.0
        )
        for embeddings in (world.embeddings, other)
    )
    np.testing.assert_array_equal(one, two)


def test_a_text_spread_given_changes_nothing() -> None:
    world = make_world(13, 30, 8, ties=False)
    examples = select_examples(world.activations, world.embeddings, 5)
    spread = text_spread(world.embeddings, world.texts)
    given_it, without = (
        LABELERS["correlation"](
            Evidence(world.activations, world.embeddings, examples, text_spread=each), world.texts, 1.0
        )
        for each in (spread, None)
    )
    np.testing.assert_array_equal(given_it, without)


def test_every_labeler_says_what_it_is() -> None:
    assert all(labeler.title and labeler.what.endswith(".") for labeler in LABELERS.values())
    with pytest.raises(
        BadInputError,
        match="'bert'; there are consensus, csp, semanticlens, clip-dissect, clip-d",
    ):
        check_labeler("bert")


@pytest.mark.parametrize("labeler", LABELERS)
def test_a_neuron_that_never_fires_scores_0_for_every_text(labeler: str) -> None:
    world = make_world(9, 20, 6, ties=False)
    silent = World(np.minimum(world.activations, 0), world.embeddings, world.texts)
    assert LABELERS[labeler](evidence_of(silent, 5), world.texts, 1.0).tolist() == [0] * len(world.texts)


def test_best_labels_ties_to_the_lower_index() -> None:
    index, score = best_labels(np.float32([0.1, 0.5, 0.5, 0.7]), 3)
    assert index.tolist() == [3, 1, 2]
    np.testing.assert_array_equal(score, np.float32([0.7, 0.5, 0.5]))


def test_best_labels_of_fewer_texts_than_asked() -> None:
    assert best_labels(np.float32([0.1, 0.5]), 9)[0].tolist() == [1, 0]


def test_no_labels_asked_is_refused() -> None:
    with pytest.raises(BadInputError, match="best 0 labels"):
        best_labels(np.float32([0.1]), 0)


def test_a_labeler_of_a_package_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(evidence: Evidence, texts: np.ndarray, gamma: float) -> np.ndarray:
        raise ValueError("no idea")

    def few(evidence: Evidence, texts: np.ndarray, gamma: float) -> np.ndarray:
        return np.zeros(1 + len(texts))

    world = make_world(5, 40, 8, ties=False)
    for name, score in (("fails", fails), ("few", few)):
        monkeypatch.setitem(LABELERS, name, Labeler(name, score, name, "Wrong."))
        monkeypatch.setitem(LABELERS._packages, name, "csp-bad")
    found = all_scores(LABELERS, evidence_of(world, 5), world.texts, 1.0)
    assert list(found) == [name for name in LABELERS if name not in ("fails", "few")]
    assert ["package csp-bad fails" in one for one in caplog.messages] == [True, True]


@pytest.mark.parametrize("name", [name for name in LABELERS if name != "clip-dissect"])
def test_the_order_of_the_images_decides_no_label_of_a_rare_neuron(name: str) -> None:
    """But that of clip-dissect: the original takes the hundred strongest images, whether they fire or not."""
    world = make_world(14, 40, 8, ties=False)
    activations = np.zeros(40, dtype=np.float32)
    activations[[5, 21, 33]] = [3, 2, 1]
    rare, order = replace(world, activations=activations), np.random.default_rng(0).permutation(40)
    shuffled = World(activations[order], world.embeddings[order], world.texts)
    one, two = (LABELERS[name](evidence_of(each, 10), world.texts, 1.0) for each in (rare, shuffled))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_semanticlens_may_score_what_texts_say_beyond_the_template() -> None:
    world = make_world(15, 40, 8, ties=False)
    evidence, empty = evidence_of(world, 10), world.texts.mean(axis=0)
    beyond = world.texts - empty
    beyond /= np.linalg.norm(beyond, axis=1, keepdims=True)
    found = LABELERS["semanticlens"](replace(evidence, empty_text=empty), world.texts, 1.0)
    np.testing.assert_allclose(found, LABELERS["semanticlens"](evidence, beyond, 1.0), atol=1e-6)
    for name in LABELERS.keys() - {"semanticlens"}:
        each = (evidence, replace(evidence, empty_text=empty))
        one, two = (LABELERS[name](known, world.texts, 1.0) for known in each)
        np.testing.assert_array_equal(one, two)
