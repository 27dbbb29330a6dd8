"""All neurons of a layer at once give what each gives alone."""

import numpy as np
import pytest

from csp.method.examples import contrastive, select_layer
from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import select_examples
from tests.method.examples.test_select import assert_same
from tests.method.worlds import unit


@pytest.fixture(scope="module")
def probe() -> tuple[np.ndarray, np.ndarray]:
    """300 clustered images with duplicates; 9 neurons: sparse, dense, silent, constant, partly NaN, tied."""
    rng = np.random.default_rng(11)
    centres = rng.normal(size=(6, 16))
    embeddings = unit(centres[rng.integers(6, size=300)] + 0.3 * rng.normal(size=(300, 16)))
    embeddings[150:170] = embeddings[:20]
    activations = np.maximum(embeddings @ rng.normal(size=(16, 9)), 0).astype(np.float32)
    activations[:, 2] = 0
    activations[:, 3] = 1.5
    activations[::7, 4] = np.nan
    activations[:, 5] = np.round(3 * activations[:, 5])
    activations[:, 6] = np.arange(300) == 42
    return activations, embeddings


@pytest.mark.parametrize("reuse", [True, False])
@pytest.mark.parametrize("stored", [None, 1, 20, 299])
def test_equal_to_one_by_one(
    probe: tuple[np.ndarray, np.ndarray], reuse: bool, stored: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_layer, "ACTIVATIONS_AT_ONCE", 5 * 300)
    monkeypatch.setattr(select_layer, "TURNED_TOGETHER", 2 * 300)
    monkeypatch.setattr(select_layer, "BLOCK", 16)
    monkeypatch.setattr(contrastive, "LISTED", 40)
    activations, embeddings = probe
    neighbours = None if stored is None else nearest_neighbours(embeddings, stored)
    found = select_layer.select_all(activations, embeddings, 25, reuse=reuse, neighbours=neighbours)
    assert len(found) == activations.shape[1]
    for neuron, examples in enumerate(found):
        assert_same(examples, select_examples(activations[:, neuron], embeddings, 25, reuse=reuse))


def test_a_layer_without_neurons_gives_nothing(probe: tuple[np.ndarray, np.ndarray]) -> None:
    assert select_layer.select_all(probe[0][:, :0], probe[1]) == []
