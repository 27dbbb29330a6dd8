"""Neighbours as a graphics card finds them, found by torch on the processor: all but the device."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from csp.errors import BadInputError
from csp.method.examples.neighbours import Neighbours, nearest_neighbours
from csp.world import gpu


def whole(embeddings: np.ndarray, m: int, start: int = 0) -> Neighbours:
    pieces = list(gpu.neighbour_pieces_by_gpu(embeddings, m, start, device="cpu"))
    return Neighbours(
        np.concatenate([one.index for one in pieces]), np.concatenate([one.similarity for one in pieces])
    )


@given(st.data(), st.integers(1, 40), st.integers(1, 9))
def test_they_are_those_of_numpy_ties_and_all(data: st.DataObject, n: int, m: int) -> None:
    """Products of small whole numbers are exact everywhere, and many are equal, negative or zero."""
    embeddings = data.draw(arrays(np.float32, (n, 3), elements=st.integers(-2, 2).map(float)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "PIECE", 16)
        patch.setattr(gpu, "OTHERS", 7)
        found = whole(embeddings, m)
        later = whole(embeddings, m, start=16) if n > 16 else None
    expected = nearest_neighbours(embeddings, m)
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.similarity, expected.similarity)
    if later is not None:
        np.testing.assert_array_equal(later.index, expected.index[16:])


def test_none_is_not_a_number_of_neighbours() -> None:
    with pytest.raises(BadInputError, match="at least 1"):
        whole(np.ones((3, 2), np.float32), 0)
