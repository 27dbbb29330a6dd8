"""Numbers laid aside on disk come back as they were, and a search with them finds what one in memory does."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from csp.keeping.piles import PileOnDisk
from csp.method.examples import best_so_far, neighbours
from csp.method.examples.neighbours import neighbour_pieces
from tests.method.worlds import make_world


def test_all_are_taken_in_order_and_then_none(tmp_path: Path) -> None:
    pile = PileOnDisk(tmp_path, np.uint16)
    for part in ([3, 1], [], [2]):
        pile.add(np.array(part, np.uint16))
    assert pile.taken().tolist() == [3, 1, 2]
    assert pile.taken().dtype == np.uint16
    assert not len(pile.taken())


def test_neighbours_are_the_same_as_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "PIECE", 40)
    monkeypatch.setattr(best_so_far, "FEW", 1)  # some are forgotten on the way
    embeddings = make_world(1, 300, 6, ties=True).embeddings
    in_memory = neighbour_pieces(embeddings, 7)
    on_disk = neighbour_pieces(embeddings, 7, new_pile=partial(PileOnDisk, tmp_path))
    for one, other in zip(in_memory, on_disk, strict=True):
        np.testing.assert_array_equal(one.index, other.index)
        np.testing.assert_array_equal(one.similarity, other.similarity)
