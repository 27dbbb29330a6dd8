"""Neurons that fire where a thing is absent. The encoder barely knows the word "no"."""

from dataclasses import replace

import numpy as np

from benchmarks.worlds.attributes import NEURONS, world
from benchmarks.worlds.neurons import draw_temper, respond
from benchmarks.worlds.scene import NOTHING, Texts, draw_scene, draw_setting, draw_texts, unit
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Half of the attributes have a text for their absence ("clear skin"); without one nothing is right.

    Its direction is partly the opposite of the attribute's, partly its own.
    """
    scene = draw_scene(rng, replace(draw_setting(rng, purpose), rates=(0.3, 0.7)))
    presence = draw_texts(rng, scene)
    named = rng.permutation(scene.setting.attributes)[: scene.setting.attributes // 2]
    own = unit(rng.standard_normal((len(named), scene.setting.dimensions)))
    clear = unit(scene.text_gap - 0.8 * scene.directions[named] + 0.5 * own)
    embeddings = np.concatenate([presence.embeddings, clear]).astype(np.float32)
    texts = Texts(embeddings, np.concatenate([presence.attribute, np.full(len(named), NOTHING)]))
    row = {int(one): len(presence.embeddings) + place for place, one in enumerate(named)}
    followed = rng.choice(scene.setting.attributes, NEURONS).tolist()
    activations = [
        respond(rng, scene, 1.0 - scene.present[:, one], draw_temper(rng, purpose)) for one in followed
    ]
    truths = tuple(frozenset({row[one]} if one in row else ()) for one in followed)
    return world(scene, texts, activations, truths)


FAMILY = Family("absence", "each neuron fires where an attribute is absent", draw)
