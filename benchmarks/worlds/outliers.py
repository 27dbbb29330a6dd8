"""Layers that give way on a few images: there most neurons fire many times as strongly. Judges only."""

from dataclasses import replace

import numpy as np

from benchmarks.worlds import attributes
from benchmarks.worlds.world import Family, Purpose, World


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Neurons that follow one attribute each, and up to one image in a hundred that sets off most of them."""
    world = attributes.draw(rng, purpose)
    images, neurons = world.activations.shape
    struck = rng.choice(images, max(1, int(rng.uniform(0.002, 0.01) * images)), replace=False)
    reached = rng.random(neurons) < rng.uniform(0.5, 1.0)
    times = 10 ** rng.uniform(1.5, 3.0, len(struck))
    surge = times[:, None] * rng.uniform(0.5, 1.5, (len(struck), neurons)) * world.activations.std(axis=0)
    activations = world.activations.copy()
    activations[struck] += (surge * reached).astype(np.float32)
    return replace(world, activations=activations)


FAMILY = Family("outliers", "on a few images the whole layer gives way", draw, judges_only=True)
