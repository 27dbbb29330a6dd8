"""The parts of the VLM's training that it rests on: made-up neurons, the order of vectors, answers."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from csp.world.dermoscopy.attributes import ATTRIBUTES
from scripts.demo.vlm_features import grids_of
from scripts.demo.vlm_lessons import CONCEPTS, NOT_ASKED, answer, grids, laid_out
from scripts.demo.vlm_neurons import MadeUpNeuron, Pool, made_up, rates
from scripts.demo.vlm_tower import TILE, TowerWithHead, as_pictures, tile_vectors


@pytest.fixture
def pool() -> Pool:
    rng = np.random.default_rng(0)
    shown = rng.random((800, len(ATTRIBUTES))) < 0.3
    embeddings = (shown + rng.normal(0, 0.3, shown.shape)).astype(np.float32)
    return Pool(shown, embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))


def test_made_up_neurons_fire_by_their_attribute(pool: Pool) -> None:
    neurons = list(islice(made_up(pool, np.random.default_rng(1)), 80))
    first = [rates(pool.shown[neuron.activating])[neuron.attribute] for neuron in neurons]
    second = [rates(pool.shown[neuron.contrastive])[neuron.attribute] for neuron in neurons]
    assert np.mean(first) > 0.8
    assert np.mean(second) < 0.4
    assert min(first) < 1  # exceptions occur


def test_cached_vectors_make_the_grid_that_the_tower_sees() -> None:
    torch.manual_seed(0)
    eyes = TowerWithHead().eval()
    tiles = torch.randn(18, 3, TILE, TILE)
    with torch.inference_mode():
        seen = tile_vectors(eyes.tower, tiles).numpy()[None]
        whole = eyes.tower(as_pictures(tiles)).last_hidden_state.flatten(2).mT
    pictures = np.arange(18).reshape(2, 9)
    made = grids_of(seen, pictures, np.random.default_rng(0))
    assert torch.allclose(made, whole, atol=1e-4)


def test_tiles_lie_row_by_row() -> None:
    tiles = torch.arange(9.0).reshape(9, 1, 1, 1).expand(9, 3, 2, 2)
    assert as_pictures(tiles)[0, 0, ::2, ::2].flatten().tolist() == list(range(9))


@pytest.mark.parametrize(("mode", "second"), [("contrastive", 0), ("activating-only", 1)])
def test_answers_leave_out_what_the_twins_show(mode: str, second: int) -> None:
    shown = np.zeros((18, len(ATTRIBUTES)), dtype=bool)
    shown[:9, [3, 5, 6, 7]] = True  # 3 is shared by both grids, 5, 6 and 7 are not
    shown[9:, 3] = True
    shown[:6, 9] = True
    neuron = MadeUpNeuron(np.arange(9), np.arange(9, 18), 5)
    said = [
        answer(Pool(shown, np.zeros((18, 2), np.float32)), neuron, mode, np.random.default_rng(i))
        for i in range(30)
    ]
    assert any(CONCEPTS[3] in text.split("\n") for text in said) == bool(second)
    assert all(len(text.split("\n")) == 3 for text in said)
    assert len(grids(neuron, mode)) == 2 - second


def test_only_the_answer_is_asked_for() -> None:
    ids, targets = laid_out([7, 8, 9], [[1, 2], [3]], pad=0)
    assert ids.tolist() == [[7, 8, 9, 1, 2], [7, 8, 9, 3, 0]]
    assert targets.tolist() == [[NOT_ASKED, 1, 2], [NOT_ASKED, 3, NOT_ASKED]]
