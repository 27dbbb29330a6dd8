"""Neurons held at a value, many at a time, against one forward pass for each of them."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.target import open_target
from csp.world.torch_models.ablation import ablated_logits
from csp.world.torch_models.layers import find_module

NEURONS, VALUES = [3, 0, 7], torch.tensor([0.5, -1.0, 2.0])
BATCH = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return resnet18(num_classes=4).eval()


def one_by_one(module: nn.Module, batch: Tensor, layer: str, axis: int) -> Tensor:
    """The slow twin: a whole pass for each neuron."""
    found = []
    for neuron, value in zip(NEURONS, VALUES, strict=True):

        def hold(_module: nn.Module, _inputs: object, output: Tensor, place: int, to: float) -> Tensor:
            return output.index_fill(axis, torch.tensor([place]), to)

        hook = partial(hold, place=neuron, to=float(value))
        handle = find_module(module, layer).register_forward_hook(hook)
        with torch.inference_mode():
            logits = module(batch)
        handle.remove()
        found.append(logits if isinstance(logits, Tensor) else logits.logits)
    return torch.stack(found)


@pytest.mark.parametrize("layer", ["layer1", "layer4", "avgpool", "fc"])
def test_each_neuron_is_held_as_in_a_pass_of_its_own(resnet: nn.Module, layer: str) -> None:
    neurons, values = (NEURONS, VALUES) if layer != "fc" else ([3, 0, 1], VALUES)
    held = ablated_logits(resnet, BATCH, layer, neurons, values)
    if layer == "fc":
        assert [float(held[place, 0, neuron]) for place, neuron in enumerate(neurons)] == values.tolist()
        return
    torch.testing.assert_close(held, one_by_one(resnet, BATCH, layer, 1), atol=1e-4, rtol=1e-4)


def test_neurons_of_tokens_are_held_at_every_token(tiny_models: Path) -> None:
    target = open_target(f"hf:{tiny_models}/vit")
    size = target.input_size
    batch = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    layer = next(one.layer for one in target.layers() if one.type == "ViTLayer")
    module = target.module  # type: ignore[attr-defined]
    held = ablated_logits(module, batch, layer, NEURONS, VALUES)
    torch.testing.assert_close(held, one_by_one(module, batch, layer, 2), atol=1e-4, rtol=1e-4)


def test_layers_that_cannot_be_held(resnet: nn.Module) -> None:
    with pytest.raises(BadInputError, match="choose a layer that ends a block"):
        ablated_logits(resnet, BATCH, "layer1.0.bn2", NEURONS, VALUES)
    with pytest.raises(NotFoundError, match="no layer 'layer9'"):
        ablated_logits(resnet, BATCH, "layer9", NEURONS, VALUES)
