"""A vocabulary without the true term: nothing in it is right, and near misses are at hand."""

from dataclasses import replace

import numpy as np

from benchmarks.worlds import crowd, kinds, rare
from benchmarks.worlds.attributes import followers
from benchmarks.worlds.scene import draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World

SHARE = 0.5
"""Of the things that neurons follow: for so many no text is right."""


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """Half of the attributes have no text; neurons follow all of them, so half of the labels can be right."""
    scene = draw_scene(rng, draw_setting(rng, purpose))
    unnamed = rng.permutation(scene.setting.attributes)[: scene.setting.attributes // 2]
    texts = draw_texts(rng, scene).without(unnamed)
    return followers(rng, purpose, scene, texts)


def draw_kinds(rng: np.random.Generator, purpose: Purpose) -> World:
    """Kinds of kinds, of which half have no text; their kin have."""
    return without_terms(rng, kinds.draw(rng, purpose), SHARE)


def draw_rare(rng: np.random.Generator, purpose: Purpose) -> World:
    """Rare attributes, of which half have no text."""
    return without_terms(rng, rare.draw(rng, purpose), SHARE)


def draw_crowd(rng: np.random.Generator, purpose: Purpose) -> World:
    """Things in a crowd, of which half have no text; mixtures with others have."""
    return without_terms(rng, crowd.draw(rng, purpose), SHARE)


def without_terms(rng: np.random.Generator, world: World, share: float) -> World:
    """The same world without the texts that are right for this share of the things that neurons follow."""
    things = sorted(set(world.truths) - {frozenset()}, key=sorted)
    gone = frozenset().union(
        *(things[one] for one in rng.permutation(len(things))[: round(share * len(things))])
    )
    kept = [row for row in range(len(world.text_embeddings)) if row not in gone]
    place = {row: number for number, row in enumerate(kept)}
    truths = tuple(frozenset(place[row] for row in truth if row in place) for truth in world.truths)
    return replace(world, text_embeddings=world.text_embeddings[kept], truths=truths)


FAMILY = Family("missing term", "for half of the neurons no text is right", draw)
KINDS = Family("missing kind", "kinds, of which half have no text", draw_kinds)
RARE = Family("missing rare", "rare attributes, of which half have no text", draw_rare)
CROWD = Family("missing thing", "a crowd, of which half of the things have no text", draw_crowd, True)
