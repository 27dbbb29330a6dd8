"""From easy to hopeless: neurons that are ever noisier, on few images."""

from dataclasses import replace

import numpy as np

from benchmarks.worlds.attributes import NEURONS, followers
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """The last neuron is five times as noisy as the first; a few hundred images."""
    setting = replace(draw_setting(rng, purpose), images=int(rng.choice([200, 400, 800])), rates=(0.1, 0.4))
    scene = draw_scene(rng, setting)
    return followers(
        rng,
        purpose,
        scene,
        draw_texts(rng, scene),
        hardness=lambda neuron: float(5 ** (neuron / (NEURONS - 1))),
    )


FAMILY = Family("difficulty", "few images, and neurons from clear to drowned in noise", draw)
