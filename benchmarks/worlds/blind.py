"""An encoder that is blind to what neurons follow: the text is there, the embeddings don't show it."""

import numpy as np

from benchmarks.worlds.attributes import followers
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """The encoder sees nothing of two attributes in three, and little of the others."""
    setting = draw_setting(rng, purpose)
    seen = rng.uniform(0.3, 0.8, setting.attributes) * (rng.random(setting.attributes) < 1 / 3)
    scene = draw_scene(rng, setting, seen)
    return followers(rng, purpose, scene, draw_texts(rng, scene))


FAMILY = Family("blind encoder", "the embeddings don't show two attributes in three", draw)
