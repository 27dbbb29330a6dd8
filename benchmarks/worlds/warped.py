"""A bit of everything seen by an encoder that is broad in a few directions and narrow in the others.

Embeddings of trained encoders lie so: a few directions hold most of the variance, and texts reach an image
through the same ones. Here images and texts pass through one random linear map whose singular values fall off
as a power of their rank.
"""

from dataclasses import replace

import numpy as np

from benchmarks.worlds import mixed
from benchmarks.worlds.scene import unit
from benchmarks.worlds.world import Family, Purpose, World

FALLS = (0.25, 0.75)
"""From where to where the power goes."""


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """The neurons of the mixed worlds; a small part of what texts say goes another way than images do."""
    world = mixed.draw(rng, purpose)
    d = world.embeddings.shape[1]
    values = np.arange(1, d + 1) ** -rng.uniform(*FALLS)
    first, second = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    shared = first @ (values[:, None] * second)
    apart = rng.uniform(0.0, 0.3) * np.linalg.norm(shared) * rng.standard_normal((d, d)) / d
    return replace(
        world,
        embeddings=unit(world.embeddings @ shared).astype(np.float32),
        text_embeddings=unit(world.text_embeddings @ (shared + apart)).astype(np.float32),
    )


FAMILY = Family("warped", "the mixed worlds through an encoder with a few broad directions", draw, many=2)
