"""Worlds of a bit of everything: as with a real run, nobody knows which of it is there, and how much."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32

from benchmarks.worlds.attributes import NEURONS, world
from benchmarks.worlds.neurons import draw_temper, rectify, respond
from benchmarks.worlds.scene import Scene, Texts, draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World

RATES = ((0.06, 0.4), (0.01, 0.1), (0.2, 0.6))
KINDS = ("one", "two", "absence", "faint", "random", "shuffled")


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Neurons of all kinds, the share of each drawn anew; texts for some attributes, sight of some."""
    setting = replace(draw_setting(rng, purpose), rates=RATES[rng.integers(len(RATES))])
    blind = rng.random(setting.attributes) < rng.choice([0.0, 0.0, 0.3, 0.7])
    scene = draw_scene(rng, setting, rng.uniform(0.4, 1.2, setting.attributes) * ~blind)
    unnamed = np.flatnonzero(rng.random(setting.attributes) < rng.choice([0.0, 0.2, 0.5, 0.8, 1.0]))
    texts = draw_texts(rng, scene).without(unnamed)
    kinds = rng.choice(KINDS, NEURONS, p=rng.dirichlet([1.5, 0.8, 0.4, 0.6, 0.4, 0.4]))
    neurons = [_neuron(rng, purpose, scene, texts, kind) for kind in kinds.tolist()]
    activations, truths = zip(*neurons, strict=True)
    return world(scene, texts, list(activations), truths)


def _neuron(
    rng: np.random.Generator, purpose: Purpose, scene: Scene, texts: Texts, kind: str
) -> tuple[Float32[np.ndarray, " n"], frozenset[int]]:
    """Its activations, and the texts that are right."""
    seen = np.flatnonzero(scene.present.sum(axis=0) >= 6)  # something to follow
    if kind == "random":
        signals = np.concatenate([scene.strength, 2 * scene.nuisance], axis=1)
        pre = (signals - signals.mean(axis=0)) @ rng.standard_normal(signals.shape[1])
        return rectify(pre, None if rng.random() < 0.5 else rng.uniform(0.2, 0.7)), frozenset()
    followed = rng.choice(seen, 2 if kind == "two" else 1, replace=False)
    drive: Float[np.ndarray, " n"] = (
        scene.strength[:, followed] * np.array([1.0, rng.uniform(0.6, 1.0)])[: len(followed)]
    ).max(axis=1)
    if kind == "absence":
        drive = 1.0 - scene.present[:, followed[0]]
    temper = draw_temper(rng, purpose, rng.uniform(1.5, 4.0) if kind == "faint" else 1.0)
    activations = respond(rng, scene, drive, temper)
    if kind == "shuffled":
        activations = rng.permutation(activations)
    right = kind in ("one", "two", "faint")
    return activations, texts.naming(*followed.tolist()) if right else frozenset()


FAMILY = Family("mixed", "neurons of all these kinds together, and terms for some", draw, many=2)
