"""Neurons that follow two attributes: a label that names either is right."""

import numpy as np

from benchmarks.worlds.attributes import NEURONS, world
from benchmarks.worlds.neurons import draw_temper, respond
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Each neuron is driven by the stronger of its two attributes."""
    scene = draw_scene(rng, draw_setting(rng, purpose))
    texts = draw_texts(rng, scene)
    pairs = [rng.choice(scene.setting.attributes, 2, replace=False) for _ in range(NEURONS)]
    shares = [np.array([1.0, rng.uniform(0.6, 1.0)]) for _ in pairs]
    activations = [
        respond(rng, scene, (scene.strength[:, pair] * share).max(axis=1), draw_temper(rng, purpose))
        for pair, share in zip(pairs, shares, strict=True)
    ]
    return world(scene, texts, activations, tuple(texts.naming(*pair.tolist()) for pair in pairs))


FAMILY = Family("polysemantic", "each neuron follows two attributes", draw)
