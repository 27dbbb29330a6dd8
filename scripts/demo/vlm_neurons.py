"""Made-up neurons that the demo's small VLM learns and is measured on: what they follow is known.

A neuron fires by one attribute, at times by a second, and by chance, on a small probe dataset in which some
attribute may be common. Its examples are selected as the app selects them: so the contrastive grid
shares what is merely incidental, and both grids have exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from csp.method.examples.select import select_examples
from csp.world.dermoscopy.attributes import ATTRIBUTES

EXAMPLES = 9
PROBE = 500  # images
EACH = 8
NAMED = 3
MOST_COMMON = 3


@dataclass(frozen=True, eq=False)
class Pool:
    """The images to draw probe datasets from: which attributes each shows, and its embedding."""

    shown: Bool[np.ndarray, "n a"]
    embeddings: Float[np.ndarray, "n d"]


@dataclass(frozen=True, eq=False)
class MadeUpNeuron:
    """Nine activating and nine contrastive images of a pool, and the attribute that the neuron follows."""

    activating: Int64[np.ndarray, " 9"]
    contrastive: Int64[np.ndarray, " 9"]
    attribute: int


def made_up(pool: Pool, rng: np.random.Generator) -> Iterator[MadeUpNeuron]:
    """Neurons without end, `EACH` on one probe dataset; none follows what is too rare or too common there."""
    while True:
        probe = _probe(pool, rng)
        shown, embeddings = pool.shown[probe], pool.embeddings[probe]
        count = shown.sum(axis=0)
        judged = np.flatnonzero((count >= EXAMPLES) & (count <= len(probe) - EXAMPLES))
        for attribute in rng.choice(judged, EACH):
            examples = select_examples(_activations(shown, attribute, rng), embeddings, EXAMPLES)
            yield MadeUpNeuron(probe[examples.activating], probe[examples.contrastive], int(attribute))


def rates(shown: Bool[np.ndarray, "9 a"]) -> Float[np.ndarray, " a"]:
    """Share of the nine pictures that show each attribute."""
    return np.asarray(shown.mean(axis=0))


def best_concepts(
    evidence: Float[np.ndarray, " a"], rng: np.random.Generator, count: int = NAMED
) -> list[int]:
    """The attributes of most evidence, best first; ties, and one picture more or less, by chance."""
    jitter = rng.random(len(evidence)) / EXAMPLES
    return [int(i) for i in np.argsort(-(evidence + jitter))[:count]]


def _probe(pool: Pool, rng: np.random.Generator) -> Int64[np.ndarray, " p"]:
    """Images of a probe dataset; like those of one clinic, most of them may share up to three attributes."""
    chance = np.ones(len(pool.shown))
    for common in rng.choice(len(ATTRIBUTES), rng.integers(MOST_COMMON + 1), replace=False):
        shown, wanted = pool.shown[:, common], rng.uniform(0.6, 0.97)
        chance *= np.where(shown, wanted / shown.mean(), (1 - wanted) / (1 - shown.mean()))
    return rng.choice(len(chance), PROBE, replace=False, p=chance / chance.sum()).astype(np.int64)


def _activations(
    shown: Bool[np.ndarray, "p a"], attribute: int, rng: np.random.Generator
) -> Float[np.ndarray, " p"]:
    weights = rng.normal(0, 0.08, len(ATTRIBUTES))
    if rng.random() < 0.3:
        weights[rng.integers(len(ATTRIBUTES))] = rng.uniform(0.3, 0.8)
    weights[attribute] = 1
    return shown @ weights + rng.normal(0, rng.uniform(0.1, 0.8), len(shown))
