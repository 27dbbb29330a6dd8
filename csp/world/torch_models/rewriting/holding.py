"""A torch model some of whose neurons are held at a value, whatever it is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from csp.errors import BadInputError
from csp.world.torch_models.ablation import filled
from csp.world.torch_models.layers import find_module, first_tensor, with_first_tensor

Values = Mapping[str, tuple[Sequence[int], Sequence[float]]]
"""By layer: neurons, and the value of each."""


def hold(module: nn.Module, held: Values, aspect: float) -> None:
    """From now on `module` runs with these neurons at these values, on their whole maps.

    `aspect` is height by width of its input. Raises `NotFoundError` for a layer that it lacks.
    """
    for layer, (neurons, values) in held.items():
        part = find_module(module, layer)
        part.register_forward_hook(_filling(layer, list(neurons), torch.tensor([list(values)]), aspect))


def _filling(layer: str, neurons: list[int], values: torch.Tensor, aspect: float) -> Any:
    def fill(part: nn.Module, _given: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if tensor is None:
            return output
        try:
            return with_first_tensor(output, filled(tensor, part, aspect, neurons, values))
        except IndexError:
            raise BadInputError(
                f"Layer '{layer}' has no neuron {max(neurons)}: the mended model names another model."
            ) from None

    return fill
