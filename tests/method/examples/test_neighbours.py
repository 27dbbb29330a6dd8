"""Stored neighbours are the true nearest ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.examples import neighbours
from csp.method.examples.neighbours import nearest_neighbours
from tests.method.worlds import World, make_world, worlds


@given(worlds(), st.integers(1, 45), st.integers(1, 50))
def test_best_first_and_complete(world: World, m: int, block: int) -> None:
    found = nearest_neighbours(world.embeddings, m, block=block)
    n = len(world.embeddings)
    exact = world.embeddings.astype(float) @ world.embeddings.T.astype(float)
    np.fill_diagonal(exact, -np.inf)
    assert found.index.shape == found.similarity.shape == (n, min(m, n - 1))
    expected = -np.sort(-exact, axis=1)[:, : min(m, n - 1)]
    np.testing.assert_allclose(found.similarity, expected, atol=1e-6)
    np.testing.assert_allclose(
        np.take_along_axis(exact, found.index.astype(int), axis=1), expected, atol=1e-6
    )
    for image, row in enumerate(found.index):
        assert len(set(row.tolist()) - {image}) == len(row)
    assert (np.diff(found.similarity, axis=1) <= 0).all()


def test_many_more_images_than_neighbours() -> None:
    embeddings = make_world(0, 2000, 12, ties=False).embeddings
    found = nearest_neighbours(embeddings, 5)
    exact = embeddings @ embeddings.T
    np.fill_diagonal(exact, -np.inf)
    np.testing.assert_allclose(found.similarity, -np.sort(-exact, axis=1)[:, :5], atol=1e-6)


def test_ties_go_to_the_lower_index() -> None:
    embeddings = np.tile(np.float32([1, 0]), (500, 1))
    found = nearest_neighbours(embeddings, 3)
    assert found.index[0].tolist() == [1, 2, 3]
    assert found.index[2].tolist() == [0, 1, 3]


def test_one_image_has_no_neighbour() -> None:
    assert nearest_neighbours(np.float32([[1, 0]])).index.shape == (1, 0)


@pytest.mark.parametrize(("m", "block"), [(0, 10), (3, 0)])
def test_bad_counts_are_refused(m: int, block: int) -> None:
    with pytest.raises(BadInputError, match="at least 1"):
        nearest_neighbours(np.eye(4, dtype=np.float32), m, block=block)


def test_default_table_of_a_small_dataset_is_complete() -> None:
    assert neighbours.STORED >= 64
    assert nearest_neighbours(np.eye(9, dtype=np.float32)).index.shape == (9, 8)
