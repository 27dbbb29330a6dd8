"""Kinds of kinds, another geometry: each image shows one thing, and things resemble their kin.

As on photographs of objects: a tree of kinds ("dog", "terrier"), texts for every level, neurons that follow a
leaf or a whole branch. A label of another level is wrong.
"""

import numpy as np
from jaxtyping import Float

from benchmarks.worlds.attributes import NEURONS
from benchmarks.worlds.neurons import rectify
from benchmarks.worlds.scene import unit
from benchmarks.worlds.world import Family, Purpose, World

BRANCHES, LEAVES = 8, 5
IMAGES = 1200


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Forty leaves on eight branches; one neuron in three follows a branch."""
    d = int(rng.choice([96, 192]))

    def random(rows: int) -> Float[np.ndarray, "r d"]:
        return unit(rng.standard_normal((rows, d)))

    branches = random(BRANCHES)
    leaves = np.repeat(branches, LEAVES, axis=0) + rng.uniform(0.7, 1.2) * random(BRANCHES * LEAVES)
    leaf = rng.integers(len(leaves), size=IMAGES)
    gap = rng.uniform(1.0, 2.5)
    embeddings = gap * random(1) + leaves[leaf] + rng.uniform(0.6, 1.4) * random(IMAGES)
    understood = np.concatenate([leaves, branches]) + rng.uniform(0.3, 0.7) * random(len(leaves) + BRANCHES)
    words = np.concatenate([understood, understood + 0.4 * random(len(understood)), 1.2 * random(300)])
    texts = gap * random(1) + words
    followed = np.where(
        rng.random(NEURONS) < 1 / 3,
        len(leaves) + rng.integers(BRANCHES, size=NEURONS),
        rng.integers(len(leaves), size=NEURONS),
    )
    shows = (leaf[:, None] == np.arange(len(leaves))).astype(float)
    shows = np.concatenate([shows, shows.reshape(IMAGES, BRANCHES, LEAVES).sum(axis=2)], axis=1)
    kin = np.concatenate([shows[:, len(leaves) :].repeat(LEAVES, axis=1), shows[:, len(leaves) :]], axis=1)
    activations = np.stack(
        [
            rectify(
                shows[:, one] * rng.uniform(0.7, 1.3, IMAGES)
                + rng.uniform(0.0, 0.4) * kin[:, one]
                + rng.uniform(0.1, 0.4) * rng.standard_normal(IMAGES),
                None if rng.random() < 0.3 else rng.uniform(0.05, 0.5),
            )
            for one in followed.tolist()
        ],
        axis=1,
    )
    return World(
        "",
        "",
        activations,
        unit(embeddings).astype(np.float32),
        unit(texts).astype(np.float32),
        tuple(frozenset({one, one + len(understood)}) for one in followed.tolist()),
        rng.random(IMAGES) < 0.5,
    )


FAMILY = Family("kinds", "each image shows one thing; neurons follow a kind or a kind of kinds", draw)
