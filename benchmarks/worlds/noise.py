"""Nothing to find: activations shuffled over the images, and features of random weights."""

import numpy as np
from jaxtyping import Float32

from benchmarks.worlds.attributes import NEURONS, followers, world
from benchmarks.worlds.neurons import rectify
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw_shuffled(rng: np.random.Generator, purpose: Purpose) -> World:
    """The neurons of the plain case, each shuffled over the images."""
    scene = draw_scene(rng, draw_setting(rng, purpose))
    texts = draw_texts(rng, scene)
    found = followers(rng, purpose, scene, texts)
    shuffled = rng.permuted(found.activations, axis=0)
    return world(scene, texts, shuffled.T, (frozenset(),) * NEURONS)


def draw_random(rng: np.random.Generator, purpose: Purpose) -> World:
    """Neurons that mix all attributes, classes and nuisances at random, as an untrained network does.

    They follow how images look, but nothing that a text names.
    """
    scene = draw_scene(rng, draw_setting(rng, purpose))
    signals = np.concatenate(
        [scene.strength, np.eye(scene.setting.classes)[scene.classes], 2 * scene.nuisance], axis=1
    )
    signals -= signals.mean(axis=0)

    def neuron() -> Float32[np.ndarray, " n"]:
        pre = signals @ rng.standard_normal(signals.shape[1])
        return rectify(pre, None if rng.random() < 0.5 else rng.uniform(0.2, 0.7))

    return world(scene, draw_texts(rng, scene), [neuron() for _ in range(NEURONS)], (frozenset(),) * NEURONS)


SHUFFLED = Family("shuffled", "activations shuffled over the images: nothing to find", draw_shuffled)
RANDOM = Family(
    "random weights", "neurons mix everything at random, as an untrained network does", draw_random
)
