"""What is worked out of some neurons and images at a time is what it is of all at once, to the bit."""

import numpy as np
import pytest

from csp.method.chance.facts import Encoded, Labelled, sought
from csp.method.examples.select import select_examples
from csp.method.labelers import correlation


@pytest.mark.parametrize("neurons", [1, 9])
def test_double_precision_for_some_neurons_at_a_time(neurons: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    activations = np.maximum(rng.normal(size=(300, neurons)), 0).astype(np.float32)
    activations[::7, 0] = np.nan
    activations[:, neurons // 2] += 1.5
    embeddings = rng.normal(size=(300, 16)).astype(np.float32)
    selection = rng.random(300) < 0.7
    chosen = [select_examples(column, embeddings) for column in activations.T]
    labelled = [Labelled(neuron, one, np.zeros(0, np.int64)) for neuron, one in enumerate(chosen)]

    def pulls() -> list[np.ndarray]:
        some, every = (correlation.layer_pulls(activations, embeddings, part) for part in (selection, None))
        return [some, every, sought(Encoded(embeddings, embeddings), activations, labelled).pull]

    together = pulls()
    monkeypatch.setattr(correlation, "IN_DOUBLE", 4 * 300)
    for whole, by_parts in zip(together, pulls(), strict=True):
        np.testing.assert_array_equal(by_parts, whole)
