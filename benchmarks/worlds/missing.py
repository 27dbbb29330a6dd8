"""A vocabulary without the true term: nothing in it is right, and near misses are at hand."""

import numpy as np

from benchmarks.worlds.attributes import followers
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Half of the attributes have no text; neurons follow all of them, so half of the labels can be right."""
    scene = draw_scene(rng, draw_setting(rng, purpose))
    unnamed = rng.permutation(scene.setting.attributes)[: scene.setting.attributes // 2]
    texts = draw_texts(rng, scene).without(unnamed)
    return followers(rng, purpose, scene, texts)


FAMILY = Family("missing term", "for half of the neurons no text is right", draw)
