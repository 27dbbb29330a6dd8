"""The made-up worlds that judge labelers (`benchmarks/worlds`) hold what they say."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.truth import judge_family, table
from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import name_all
from benchmarks.worlds.world import Purpose, World


def first_world(family: str, purpose: Purpose = Purpose.JUDGING) -> World:
    return next(FAMILIES[family].worlds(purpose, 1))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_world_is_whole_and_the_same_each_time(family: str) -> None:
    world, again = first_world(family), first_world(family)
    n, c = world.activations.shape
    assert np.array_equal(world.activations, again.activations)
    assert np.array_equal(world.text_embeddings, again.text_embeddings)
    assert world.embeddings.shape[0] == n == len(world.selection)
    assert world.embeddings.shape[1] == world.text_embeddings.shape[1]
    for unit in (world.embeddings, world.text_embeddings):
        assert np.allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
    assert len(world.truths) == c
    assert all(0 <= row < len(world.text_embeddings) for truth in world.truths for row in truth)
    assert 0 < world.selection.sum() < n
    assert (world.activations >= 0).all()
    assert (world.activations > 0).any(axis=0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_development_worlds_are_no_judging_ones(family: str) -> None:
    worlds = list(FAMILIES[family].worlds(Purpose.DEVELOPMENT, 1))
    assert len(worlds) == (not FAMILIES[family].judges_only)
    for world in worlds:
        judging = first_world(family)
        assert world.activations.shape != judging.activations.shape or not np.array_equal(
            world.activations, judging.activations
        )


def test_where_nothing_can_be_right_nothing_is() -> None:
    for family in ("shuffled", "random weights"):
        assert not any(first_world(family).truths)
    assert 0 < sum(map(bool, first_world("missing term").truths)) < 60


def test_an_easy_world_is_named_far_above_chance() -> None:
    world = first_world("attributes")
    named = name_all(replace(world, activations=world.activations[:, :20], truths=world.truths[:20]))
    row = judge_family([named])
    assert row["answerable"] == 20
    assert row["labelers"]["csp"]["share"] > 0.6
    assert row["difference"][row["best"]]["share"] == 0
    assert "attributes" in table({"attributes": row})


def test_a_layer_that_gives_way_on_few_images_is_named_by_the_others() -> None:
    world = first_world("outliers")
    assert 0 < world.outlying.sum() <= 0.02 * len(world.outlying)
    few = replace(world, activations=world.activations[:, :40], truths=world.truths[:40])
    named = name_all(few)
    assert named.right("consensus").mean() > 0.8
    assert np.isfinite(named.facts()).all()
