"""The chance that a first label is true: its facts, and what it says of noise and of odd neurons."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import name_all
from benchmarks.worlds.world import Purpose, World
from csp.method.chance.facts import (
    ENOUGH_LEAD,
    FACTS,
    SURE,
    Encoded,
    Labelled,
    Layer,
    layer_facts,
    sought,
    text_facts,
)
from csp.method.chance.fitted import MODEL
from csp.method.chance.model import Model, chances, recalibrated
from csp.method.examples.select import select_examples
from csp.method.labelers.consensus import consensus
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.whitened import whiten


def said(family: str) -> np.ndarray:
    return chances(name_all(some_neurons(family)).facts(), MODEL)


def some_neurons(family: str, count: int = 20) -> World:
    (world,) = FAMILIES[family].worlds(Purpose.DEVELOPMENT, 1)
    return replace(world, activations=world.activations[:, :count], truths=world.truths[:count])


def test_noise_gets_a_low_chance_and_what_is_there_a_high_one() -> None:
    noise, there = said("shuffled"), said("attributes")
    assert np.median(noise) < 0.1
    assert np.quantile(noise, 0.9) < 0.2
    assert np.median(there) > 0.8


def test_a_chance_is_the_logistic_of_the_weighted_facts() -> None:
    model = Model(1.0, (2.0,) + (0.0,) * (len(FACTS) - 1))
    facts = np.zeros((2, len(FACTS)))
    facts[1, 0] = np.nan
    found = chances(facts, model)
    assert found[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert np.isnan(found[1])


def labelled(world: World, texts: int, neuron: int = 0) -> Labelled:
    examples = select_examples(world.activations[:, neuron], world.embeddings, 5)
    rows = np.arange(texts)
    return Labelled(neuron, examples, rows)


def odd_world(n: int, activations: np.ndarray, texts: np.ndarray) -> World:
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((n, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return World("", "", activations[:, None], embeddings, texts, (frozenset(),), np.arange(n) % 2 == 0)


@pytest.mark.parametrize("kind", ["one image", "constant", "alike", "unheard"])
def test_odd_neurons_get_a_finite_chance(kind: str) -> None:
    n = 1 if kind == "one image" else 12
    activations = np.linspace(0.1, 1, n).astype(np.float32)
    texts = np.eye(4, dtype=np.float32)[:3]
    if kind == "constant":
        activations[:] = 1
    if kind == "alike":
        texts[:] = texts[0]
    if kind == "unheard":
        activations[3] = np.nan
    world = odd_world(n, activations, texts)
    encoded = Encoded(world.embeddings, world.text_embeddings)
    facts = layer_facts(encoded, world.activations, [labelled(world, len(texts))])
    assert np.isfinite(facts).all()
    assert 0 <= chances(facts, MODEL)[0] <= 1


def test_of_one_text_nothing_is_said() -> None:
    world = odd_world(12, np.linspace(0, 1, 12).astype(np.float32), np.eye(4, dtype=np.float32)[:1])
    encoded = Encoded(world.embeddings, world.text_embeddings)
    assert np.isnan(chances(layer_facts(encoded, world.activations, [labelled(world, 1)]), MODEL)).all()
    assert layer_facts(encoded, world.activations, []).shape == (0, len(FACTS))


def test_the_nearest_text_of_a_missing_thing_falls_short_of_the_layers_best() -> None:
    axes = np.eye(4, dtype=np.float32)
    texts = np.concatenate([axes[:3], -axes[:3]])  # nothing in common, and none for the fourth axis
    encoded, rivals = Encoded(np.concatenate([axes, -axes]), texts), np.arange(len(texts))

    def facts(contrast: list[float], pull: list[float]) -> np.ndarray:
        looked_for = [np.array(one) / np.linalg.norm(one) for one in (contrast, pull)]
        return text_facts(encoded, texts[:1], rivals, *looked_for, np.ones(2))

    layer = Layer(0.5, (1.0, 1.0))
    there, missing = facts([1, 0, 0, 0], [1, 0, 0, 0.1]), facts([1, 0, 0, 2], [1, 0, 0, 3])
    assert layer.complete(there)[0, -1] == pytest.approx(0)
    assert missing[0, 3:] == pytest.approx([5**-0.5, 10**-0.5])
    assert layer.complete(missing)[0, -1] == pytest.approx(-((1 - 5**-0.5) ** 2)), (
        "by whichever way it is nearer"
    )
    both = facts([1, 1, 0, 0], [1, 1, 0, 0])
    assert both[0, 0] == pytest.approx(0, abs=1e-9), "of two things neither leads"
    assert both[0, 1] > 0.3, "but the third best is far behind"


def test_what_a_neuron_looks_for_is_surer_the_more_of_it_is_not_luck() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((400, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    follows, noise = embeddings[:, 0] + 1, rng.random(400)
    world = World("", "", np.stack([follows, noise], axis=1), embeddings, np.eye(8), (), np.ones(400, bool))
    encoded = Encoded(embeddings, world.text_embeddings)
    firing = [labelled(world, 8, neuron) for neuron in (0, 1)]
    clear, luck = sought(encoded, world.activations, firing).sure
    assert (clear > 0.8).all()
    assert luck[1] == pytest.approx(SURE), "no less counts"
    one_example = sought(
        encoded, world.activations, [Labelled(0, select_examples(follows, embeddings, 1), firing[0].texts)]
    )
    assert np.isfinite(one_example.sure).all()


def test_near_is_a_share_of_what_is_sure() -> None:
    axes = np.eye(4)
    encoded, rivals = Encoded(np.concatenate([axes, -axes]), np.concatenate([axes, -axes])), np.arange(8)
    sure, half = (
        text_facts(encoded, axes[:1], rivals, axes[0] * 0.6 + axes[1] * 0.8, axes[0], np.array([share, 1.0]))[
            0
        ]
        for share in (1.0, 0.5)
    )
    assert half[3] == pytest.approx(sure[3] * 2**0.5)
    assert half[[0, 1, 2, 4]] == pytest.approx(sure[[0, 1, 2, 4]])


def test_texts_are_compared_as_consensus_does() -> None:
    world = some_neurons("warped", 3)
    named = name_all(world)
    encoded, vocabulary = Encoded(world.embeddings, world.text_embeddings), world.text_embeddings
    directions = sought(encoded, world.activations, named.labelled)
    whitened = whiten(encoded.covariance, vocabulary)
    for place, one in enumerate(named.labelled):
        lead = text_facts(encoded, vocabulary[one.texts[:1]], one.texts[-1:], *directions.of(place))[0, 0]
        contrast = directions.contrast[place]
        first, last = whitened.cosines(contrast[None], vocabulary)[0, one.texts[[0, -1]]]
        assert lead == pytest.approx(min(first - last, ENOUGH_LEAD), abs=1e-4)


def test_another_order_of_the_neurons_changes_nothing() -> None:
    world = some_neurons("rare", 5)
    named = name_all(world)
    encoded = Encoded(world.embeddings, world.text_embeddings)
    turned = layer_facts(encoded, world.activations, named.labelled[::-1])[::-1]
    assert np.allclose(turned, named.facts(), atol=1e-4)


def test_verdicts_recalibrate_chances() -> None:
    rng = np.random.default_rng(0)
    said = rng.uniform(0.5, 1.0, 400)
    right = rng.random(400) < said - 0.4
    found = recalibrated(said, said, right)
    assert abs(found.mean() - right.mean()) < 0.03
    assert (np.diff(found[np.argsort(said)]) >= 0).all(), "the order stays"
    assert np.isnan(recalibrated(np.array([np.nan, 0.5]), said, right)[0])


@pytest.mark.parametrize("right", [True, False])
def test_one_sided_verdicts_move_all_chances_one_way_and_make_none_certain(right: bool) -> None:
    before = np.array([0.02, 0.2, 0.9])
    found = recalibrated(before, np.tile([0.3, 0.9], 25), np.full(50, right))
    assert ((found > before) == right).all()
    assert 0 < found[0] < found[1] < found[2] < 1


def test_a_vocabulary_without_the_true_term_makes_labels_unlikely() -> None:
    world = some_neurons("missing term", 40)
    named = name_all(world)
    found = chances(named.facts(), MODEL)
    there = named.answerable[[one.neuron for one in named.labelled]]
    assert np.median(found[there]) > 0.8
    assert np.median(found[~there]) < 0.2


def test_a_vocabulary_of_100_000_texts_is_ranked_and_judged() -> None:
    rng = np.random.default_rng(0)
    texts = rng.standard_normal((100_000, 8)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    embeddings = texts[:60]
    activations = np.maximum(embeddings @ texts[7], 0)
    examples = select_examples(activations, embeddings, 5)
    scores = consensus(Evidence(activations, embeddings, examples), texts, 1.0)
    assert np.isfinite(scores).all() and scores.shape == (100_000,)
    best = np.argsort(-scores, kind="stable")[:10]
    facts = layer_facts(Encoded(embeddings, texts), activations[:, None], [Labelled(0, examples, best)])
    assert 0 <= chances(facts, MODEL)[0] <= 1
