"""The same architecture, and nothing left of what was learnt."""

import pytest
import torch
import torchvision
from torch import Tensor, nn

from csp.world.torch_models.rewriting.random_weights import with_random_weights


class Odd(nn.Module):
    """Weights that no part can start anew, and a normalisation that keeps all as buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.arange(12.0).view(3, 4))
        self.register_parameter("scale", nn.Parameter(torch.full((4,), 3.0)))
        self.norm = torchvision.ops.FrozenBatchNorm2d(3)
        self.norm.running_mean.fill_(5)
        self.read = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))

    def forward(self, batch: Tensor) -> Tensor:
        found: Tensor = self.read(self.position * self.scale)
        return found


def test_every_weight_is_another_and_the_same_seed_gives_the_same() -> None:
    learnt = torchvision.models.resnet18(num_classes=3).eval()
    with torch.no_grad():
        for weight in learnt.parameters():
            weight.uniform_(2, 3)
        learnt.bn1.running_mean.fill_(7)
    before = {name: tensor.clone() for name, tensor in learnt.state_dict().items()}
    drawn = torch.random.get_rng_state()
    first, again, other = (with_random_weights(learnt, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), drawn), "what others draw stays the same"
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(tensor, before[name]), "the model itself stays"
    for (name, old), new in zip(learnt.named_parameters(), first.parameters(), strict=True):
        assert not torch.equal(old, new), name
    assert not first.bn1.running_mean.any()
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)
    assert first.layer4[1].conv2.weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.02)
    assert not first.training


def test_what_no_part_can_start_is_dealt_out_anew() -> None:
    learnt = Odd()
    fresh = with_random_weights(learnt, 0)
    assert isinstance(fresh, Odd)
    assert not torch.equal(fresh.position, learnt.position)
    assert torch.equal(fresh.position.flatten().sort().values, learnt.position.flatten())
    assert not fresh.norm.running_mean.any()
    assert not torch.equal(fresh.read.weight, learnt.read.weight)
