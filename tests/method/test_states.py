"""Awkward neurons have names and sentences."""

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.method.states import SENTENCES, NeuronState, neuron_states

HALF = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("activations", "states"),
    [
        (HALF, ["normal"]),
        ([0.0] * 6, ["never-fires", "constant", "no-contrast"]),
        ([-1.0, -2.0, -3.0, 0.0, 0.0, -1.0], ["never-fires", "negative"]),
        ([2.0] * 6, ["constant", "no-contrast", "always-on"]),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], ["always-on"]),
        ([0.0, 0.0, 2.0, 3.0, 4.0, 5.0], ["normal"]),
        ([-1.0, 0.0, 0.0, 3.0, 4.0, 5.0], ["negative"]),
        ([np.nan, np.inf, 0.0, 0.0, 0.0, 1.0], ["non-finite"]),
        ([np.nan] * 6, ["non-finite", "never-fires", "no-contrast", "few-images"]),
        ([0.0, 0.0, 1.0], ["few-images"]),
    ],
)
def test_states(activations: list[float], states: list[str]) -> None:
    assert neuron_states(np.float32(activations), 4) == tuple(states)


def test_every_state_has_a_sentence() -> None:
    assert set(SENTENCES) == set(NeuronState)


def test_no_examples_asked_is_refused() -> None:
    with pytest.raises(BadInputError):
        neuron_states(np.float32(HALF), 0)
