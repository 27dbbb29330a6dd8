"""Awkward neurons have names and sentences."""

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.method.states import NeuronState, neuron_states, sentence

HALF = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("activations", "states"),
    [
        ([0.0, *HALF, 4.0], ["normal"]),
        (HALF, ["rare"]),
        ([0.0] * 6, ["never-fires", "constant", "no-contrast"]),
        ([-1.0, -2.0, -3.0, 0.0, 0.0, -1.0], ["never-fires", "negative"]),
        ([2.0] * 6, ["constant", "no-contrast", "always-on"]),
        ([2.0, 2.0000002, 1.9999999, 2.0, 2.0, 2.0], ["constant", "no-contrast", "always-on"]),
        ([2.0, 2.00001, 2.0, 2.0, 2.0, 2.0], ["always-on"]),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], ["always-on"]),
        ([0.0, 0.0, 2.0, 3.0, 4.0, 5.0], ["normal"]),
        ([-1.0, 0.0, 0.0, 3.0, 4.0, 5.0], ["rare", "negative"]),
        ([np.nan, np.inf, 0.0, 0.0, 0.0, 1.0], ["non-finite", "rare"]),
        ([np.nan] * 6, ["non-finite", "never-fires", "no-contrast", "few-images"]),
        ([0.0, 0.0, 1.0], ["few-images", "rare"]),
    ],
)
def test_states(activations: list[float], states: list[str]) -> None:
    assert neuron_states(np.float32(activations), 4) == tuple(states)


def test_every_state_has_a_sentence() -> None:
    assert all(sentence(state, 3).endswith(".") for state in NeuronState)
    assert "Only 3 of the images make this" in sentence(NeuronState.RARE, 3)
    assert "Only 1 of the images makes this" in sentence(NeuronState.RARE, 1)


def test_no_examples_asked_is_refused() -> None:
    with pytest.raises(BadInputError):
        neuron_states(np.float32(HALF), 0)
