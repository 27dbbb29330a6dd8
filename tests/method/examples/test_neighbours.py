"""Stored neighbours are the true nearest ones."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError
from csp.method.examples import best_so_far, neighbours
from csp.method.examples.neighbours import Neighbours, nearest_neighbours, nearest_to, neighbour_pieces
from tests.method.worlds import World, make_world, worlds


@given(worlds(), st.integers(1, 45), st.integers(1, 50))
def test_best_first_and_complete(world: World, m: int, piece: int) -> None:
    with patch.object(neighbours, "PIECE", piece):
        found = nearest_neighbours(world.embeddings, m)
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


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """300 images with many ties, in pieces of 35; floors come from 60 of them."""
    monkeypatch.setattr(neighbours, "PIECE", 35)
    monkeypatch.setattr(neighbours, "SAMPLE", 60)
    return make_world(1, 300, 6, ties=True).embeddings


def assert_equal(found: Neighbours, expected: Neighbours) -> None:
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.similarity, expected.similarity)


def test_pairs_multiplied_once_and_twice_and_resumed_give_the_same_bits(
    in_pieces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = nearest_neighbours(in_pieces, 7)
    resumed = list(neighbour_pieces(in_pieces, 7, 140))
    np.testing.assert_array_equal(np.concatenate([piece.index for piece in resumed]), once.index[140:])
    monkeypatch.setattr(neighbours, "HALF_UP_TO", 0)
    assert_equal(nearest_neighbours(in_pieces, 7), once)


def test_neither_a_floor_too_high_nor_forgetting_changes_the_answer(
    in_pieces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = nearest_neighbours(in_pieces, 7)
    some = np.array([299, 3, 41])
    monkeypatch.setattr(best_so_far, "FEW", 1)
    monkeypatch.setattr(best_so_far, "MOST_HELD", 1)
    monkeypatch.setattr(best_so_far, "TOGETHER", 16)
    assert_equal(nearest_neighbours(in_pieces, 7), expected)
    monkeypatch.setattr(neighbours, "CERTAIN", -2)
    assert_equal(nearest_neighbours(in_pieces, 7), expected)
    np.testing.assert_array_equal(nearest_to(some, in_pieces, 7).index, expected.index[some])


def test_ties_go_to_the_lower_index() -> None:
    embeddings = np.tile(np.float32([1, 0]), (500, 1))
    found = nearest_neighbours(embeddings, 3)
    assert found.index[0].tolist() == [1, 2, 3]
    assert found.index[2].tolist() == [0, 1, 3]


def test_one_image_has_no_neighbour() -> None:
    assert nearest_neighbours(np.float32([[1, 0]])).index.shape == (1, 0)


def test_a_bad_count_is_refused() -> None:
    with pytest.raises(BadInputError, match="at least 1"):
        nearest_neighbours(np.eye(4, dtype=np.float32), 0)


def test_default_table_of_a_small_dataset_is_complete() -> None:
    assert neighbours.STORED >= 64
    assert nearest_neighbours(np.eye(9, dtype=np.float32)).index.shape == (9, 8)
