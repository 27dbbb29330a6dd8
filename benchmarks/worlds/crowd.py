"""Pictures of several things at once, of which the largest fills the embedding; a third geometry.

Things are shares of the picture that sum to 1, the embedding is of their mixture, and texts lie nearer to the
pictures' own cone than in the other worlds. Neurons follow one thing, however small. Judges only.
"""

import numpy as np
from jaxtyping import Float

from benchmarks.worlds.attributes import NEURONS
from benchmarks.worlds.neurons import rectify
from benchmarks.worlds.scene import unit
from benchmarks.worlds.world import Family, Purpose, World

THINGS, IMAGES, PHRASES = 30, 1500, 3


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Thirty things, one to five in a picture, some often together."""
    d = int(rng.choice([80, 160, 320]))
    things = unit(rng.exponential(1.0, (THINGS, d)) ** 2 - 1.5)  # uneven directions, with heavy axes
    company = rng.random((THINGS, THINGS)) * (rng.random((THINGS, THINGS)) < 0.15)
    shares = np.zeros((IMAGES, THINGS))
    for picture in shares:
        first = int(rng.integers(THINGS))
        odds = 0.2 + 3 * company[first]
        odds[first] = 0
        others = rng.choice(THINGS, int(rng.integers(5)), replace=False, p=odds / odds.sum())
        shown = np.append(others, first)
        picture[shown] = rng.dirichlet(np.ones(len(shown)))
    common = unit(rng.standard_normal(d))
    ways = unit(rng.standard_normal((10, d)))
    embeddings = unit(
        rng.uniform(0.4, 0.8) * common
        + np.sqrt(shares) @ things
        + 0.25 * rng.standard_normal((IMAGES, 10)) @ ways
        + rng.uniform(0.3, 0.7) * unit(rng.standard_normal((IMAGES, d)))
    )
    meant = things + rng.uniform(0.15, 0.4) * unit(rng.standard_normal((THINGS, d)))
    phrases = np.repeat(meant, PHRASES, axis=0)
    phrases = phrases + 0.25 * unit(rng.standard_normal(phrases.shape))
    texts = unit(
        0.8 * common + 0.8 * unit(rng.standard_normal(d)) + np.concatenate([phrases, _others(rng, meant)])
    )
    followed = rng.integers(THINGS, size=NEURONS)
    drive = np.sqrt(shares[:, followed]) * rng.uniform(0.8, 1.2, (IMAGES, NEURONS))
    drive += 0.5 * rng.random(NEURONS) * (np.sqrt(shares) @ (company.T[:, followed] > 0))
    drive += rng.uniform(0.05, 0.35, NEURONS) * rng.standard_normal(drive.shape)
    firing = [None if rng.random() < 0.5 else rng.uniform(0.05, 0.5) for _ in range(NEURONS)]
    return World(
        "",
        "",
        np.stack([rectify(column, share) for column, share in zip(drive.T, firing, strict=True)], axis=1),
        embeddings.astype(np.float32),
        texts.astype(np.float32),
        tuple(frozenset(range(PHRASES * one, PHRASES * one + PHRASES)) for one in followed.tolist()),
        rng.random(IMAGES) < 0.5,
    )


def _others(rng: np.random.Generator, things: Float[np.ndarray, "a d"]) -> Float[np.ndarray, "m d"]:
    """Texts that name none of the things: mixtures of two, and words for what no picture shows."""
    pairs = things[rng.integers(THINGS, size=(60, 2))].mean(axis=1)
    pairs += 0.5 * unit(rng.standard_normal(pairs.shape))
    return np.concatenate([pairs, unit(rng.standard_normal((300, things.shape[1])))])


FAMILY = Family("crowd", "pictures of several things, the largest of which fills the embedding", draw, True)
