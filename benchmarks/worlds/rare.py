"""Attributes that few images show: fewer than there are examples."""

from dataclasses import replace

import numpy as np

from benchmarks.worlds.attributes import followers
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """One attribute in three is rare, and neurons follow only those."""
    setting = draw_setting(rng, purpose)
    scene = draw_scene(rng, replace(setting, rates=(0.004, 0.02), tilt=min(setting.tilt, 0.5)))
    seen = np.flatnonzero(scene.present.sum(axis=0) >= 6)  # something to follow
    return followers(rng, purpose, scene, draw_texts(rng, scene), seen, hardness=0.5)


FAMILY = Family("rare", "what neurons follow is in one image of a hundred", draw)
