"""A torch model with values beside the picture: every question gets them."""

import numpy as np
import torch

from csp.world.protocols.target import open_target
from tests.world.beside_model import SIZE, net

BATCH = np.random.default_rng(0).random((3, 3, SIZE, SIZE), np.float32)
VALUES = {"age": np.array([20, 50, 80], np.float32), "sex": np.array([0, 1, 1], np.float32)}


def test_values_reach_every_question() -> None:
    module, target = net(), open_target("python:tests.world.beside_model:33").given(VALUES)  # type: ignore[attr-defined]
    given = torch.tensor(BATCH), torch.tensor(VALUES["age"]), torch.tensor([0, 1, 1])
    expected = module(*given).softmax(1).detach().numpy()
    found = target.run(BATCH, ["joined"])
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    names = [info.layer for info in target.layers()]
    assert names == ["conv", "sexes", "joined", "head"], "under the model's own names"
    assert target.maps(BATCH, "conv", [1]).shape == (3, 1, 14, 14)
    np.testing.assert_allclose(target.head("head"), np.eye(3) - 1 / 3, atol=1e-6)
    assert target.contributions(BATCH, "joined").values.shape == (3, 8)
    held = target.ablated(BATCH, "conv", [2, 0], np.array([0.0, 1.0], np.float32))
    for place, (neuron, value) in enumerate([(2, 0.0), (0, 1.0)]):
        one = {"conv": ([neuron], np.full((3, 1), value, np.float32))}
        np.testing.assert_allclose(held[place], target.held(BATCH, one), atol=1e-6)
    assert np.abs(held - expected).max() > 1e-4


@torch.inference_mode()
def test_without_values_the_defaults_enter() -> None:
    target = open_target("python:tests.world.beside_model:33")
    expected = net()(torch.tensor(BATCH), torch.full((3,), 33.0), torch.tensor([0, 0, 0])).softmax(1)
    np.testing.assert_allclose(target.run(BATCH, []).probabilities, expected, atol=1e-6)
