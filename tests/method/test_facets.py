"""Facets: several things are found as several, one as one, and nothing is made up of noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.method.examples.select import select_examples
from csp.method.facets import FEWEST, Facet, best_cut, split_facets, sure_aurocs
from csp.method.labelers.correlation import correlation
from csp.method.labelers.evidence import Evidence
from csp.method.metrics.statistics import auroc
from csp.method.modes import Modes
from tests.method.worlds import World, unit, worlds

SAME = 0.9
THINGS = 8


def scene(
    seed: int, images: int = 800, noise: float = 0.06
) -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    """Images that show things of a world, their embeddings, and one text for each thing."""
    rng = np.random.default_rng(seed)
    shown = rng.random((images, THINGS)) < 0.2
    directions = np.linalg.qr(rng.normal(size=(32, THINGS)))[0].T
    embeddings = unit(shown @ directions + noise * rng.normal(size=(images, 32)) + 0.3)
    return rng, shown, embeddings, unit(directions + 0.3)


def split(
    activations: np.ndarray, embeddings: np.ndarray, texts: np.ndarray, selection: np.ndarray | None = None
) -> tuple[Facet, ...]:
    def scores(values: np.ndarray) -> np.ndarray:
        evidence = Evidence(values, embeddings, select_examples(values, embeddings), selection=selection)
        return correlation(evidence, texts, 1.0)

    return split_facets(activations, Modes(embeddings, texts), scores, selection, SAME)


@pytest.mark.parametrize("things", [[3], [1, 6], [0, 2, 5]])
def test_each_thing_that_fires_a_neuron_is_a_facet(things: list[int]) -> None:
    rng, shown, embeddings, texts = scene(4)
    activations = np.maximum(shown[:, things].max(axis=1) + 0.2 * rng.normal(size=len(shown)), 0)
    found = split(activations.astype(np.float32), embeddings, texts)
    assert {facet.text for facet in found} == set(things)
    assert not any(facet.absent for facet in found)
    assert all(facet.share >= 0.05 for facet in found)
    for facet in found:
        assert shown[facet.images, facet.text].mean() > 0.9


@pytest.mark.parametrize("noise", [0.06, 0.22])
def test_a_neuron_that_fires_where_a_thing_is_lacking(noise: float) -> None:
    """Also by an encoder that is unsure of many images."""
    rng, shown, embeddings, texts = scene(5, noise=noise)
    activations = np.maximum(~shown[:, 2] + 0.2 * rng.normal(size=len(shown)), 0).astype(np.float32)
    (found,) = split(activations, embeddings, texts)
    assert (found.text, found.absent) == (2, True)
    assert shown[found.images, 2].mean() < 0.02


def test_noise_has_one_facet_that_explains_nothing() -> None:
    _, _, embeddings, texts = scene(6)
    selection = np.arange(len(embeddings)) % 3 > 0
    for seed in range(5):
        noise = np.random.default_rng(seed).random(len(embeddings)).astype(np.float32)
        (found,) = split(noise, embeddings, texts, selection)
        assert found.clear == 0.5
        assert found.share < 0.05


def test_words_for_one_thing_are_one_facet() -> None:
    rng, shown, embeddings, texts = scene(7)
    synonyms = unit(np.concatenate([texts, texts + 0.02 * rng.normal(size=texts.shape)]))
    activations = (shown[:, 1] + 0.2 * rng.random(len(shown))).astype(np.float32)
    assert len(split(activations, embeddings, synonyms)) == 1


def test_held_out_images_choose_nothing() -> None:
    rng, shown, embeddings, texts = scene(8)
    selection = rng.random(len(shown)) < 0.5
    activations = (shown[:, [1, 4]].max(axis=1) + 0.1 * rng.random(len(shown))).astype(np.float32)
    other = np.where(selection, activations, rng.permuted(activations))
    found = split(activations, embeddings, texts, selection)
    assert {facet.text for facet in found} == {1, 4}
    assert len(split(other.astype(np.float32), embeddings, texts, selection)) == 1


@settings(max_examples=20)
@given(worlds(), st.sampled_from(["as it is", "dead", "constant", "holes"]))
def test_any_world(world: World, kind: str) -> None:
    activations = world.activations.copy()
    if kind == "dead":
        activations[:] = 0
    elif kind == "constant":
        activations[:] = 1
    elif kind == "holes":
        activations[::2] = np.nan
    found = split(activations, world.embeddings, world.texts)
    finite = activations[np.isfinite(activations)]
    varies = finite.size > 0 and finite.max() > 0 and finite.min() < finite.max()
    assert bool(found) == varies
    assert sum(facet.share for facet in found) <= 1 + 1e-9
    assert all(facet.share >= 0 and 0 <= facet.clear <= 1 for facet in found)
    assert not found or np.sum([facet.images for facet in found], axis=0).max() <= 1


def test_without_texts_there_is_no_facet() -> None:
    rng, _, embeddings, texts = scene(9, images=20)
    assert split(rng.random(20).astype(np.float32), embeddings, texts[:0]) == ()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_the_auroc_of_sure_images(seed: int, images: int) -> None:
    """The slow twin: one text after the other, the standard error as Hanley and McNeil write it."""
    rng = np.random.default_rng(seed)
    firing, states = rng.integers(20, size=images).astype(float), rng.integers(-1, 2, size=(images, 3))
    found, error = sure_aurocs(firing, states.astype(np.int8))
    for text in range(3):
        sure = states[:, text] != 0
        shown = states[sure, text] > 0
        yes, no = shown.sum(), (~shown).sum()
        if min(yes, no) < FEWEST:
            assert np.isnan(found[text])
            continue
        area = auroc(firing[sure], shown)
        q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
        squared = area * (1 - area) + (yes - 1) * (q1 - area**2) + (no - 1) * (q2 - area**2)
        assert (found[text], error[text]) == pytest.approx((area, np.sqrt(squared / (yes * no))))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_best_cut_is_the_best_of_all(seed: int, images: int) -> None:
    rng = np.random.default_rng(seed)
    readings, firing = (
        rng.integers(30, size=images).astype(float),
        rng.integers(20, size=images).astype(float),
    )
    cut, z = best_cut(readings, firing)
    each = {}
    for one in np.unique(readings)[:-1] if images > 1 else []:
        upper = readings > one
        yes, no = upper.sum(), (~upper).sum()
        if min(yes, no) >= FEWEST:
            each[one] = (auroc(firing, upper) - 0.5) / np.sqrt((images + 1) / (12 * yes * no))
    assert z == pytest.approx(max(each.values(), default=0.0))
    assert not each or each[readings[readings <= cut].max()] == pytest.approx(z)


def in_short(found: tuple[Facet, ...]) -> list[tuple[int, bool, float]]:
    return [(one.text, one.absent, round(one.share, 4)) for one in found]


@pytest.mark.parametrize("kind", ["one thing", "two things", "a lack", "noise"])
def test_what_is_no_matter_decides_no_facet(kind: str) -> None:
    """Another order of texts, or of images with the parts they belong to; a scale; a turn of the space."""
    rng, shown, embeddings, texts = scene(8)
    follows = {"one thing": shown[:, 1], "two things": shown[:, [1, 4]].any(axis=1), "a lack": ~shown[:, 2]}
    strength = follows.get(kind, np.zeros(len(shown))) + 0.3 * rng.random(len(shown))
    activations, chooses = strength.astype(np.float32), rng.random(len(shown)) < 0.5
    base = in_short(split(activations, embeddings, texts, chooses))
    places, images = rng.permutation(THINGS), rng.permutation(len(shown))
    reordered = in_short(split(activations, embeddings, texts[places], chooses))
    assert [(places[text], *rest) for text, *rest in reordered] == base
    assert in_short(split(activations[images], embeddings[images], texts, chooses[images])) == base
    assert in_short(split(activations * np.float32(2.0**20), embeddings, texts, chooses)) == base
    turn = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    turned = (vectors @ turn for vectors in (embeddings, texts))
    assert in_short(split(activations, *(one.astype(np.float32) for one in turned), chooses)) == base
