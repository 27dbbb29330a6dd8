"""Latents of an SAE are a layer like any other, and the model gives what it gives without them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.sae import SaeOn, latent_layers
from csp.world.torch_models.splicing.autoencoder import Autoencoder, Relu, Rule, TopK, Weights
from csp.world.torch_models.target import TorchTarget

CHANNELS, LATENTS = 5, 12


class Small(nn.Module):
    """Maps, then a linear head on their mean; or tokens, or numbers."""

    def __init__(self, kind: str = "maps") -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.tokens = nn.Linear(CHANNELS, CHANNELS)
        self.head = nn.Linear(CHANNELS, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.relu(self.conv(images))
        tokens = self.tokens(maps.flatten(2).transpose(1, 2))
        found: Tensor = self.head(tokens.mean(1))
        return found


def autoencoder(rule: Rule | None = None, width: int = CHANNELS) -> Autoencoder:
    weights = Weights(
        torch.randn(width, LATENTS), torch.randn(LATENTS), torch.randn(LATENTS, width), torch.randn(width)
    )
    return Autoencoder("saelens:here", weights, rule or TopK(3))


def target() -> TorchTarget:
    torch.manual_seed(0)
    return TorchTarget(
        spec="mine", name="small", classes=("a", "b", "c"), weights_hash="", input_size=(8, 8),
        module=Small().eval(), transform=lambda image: np.zeros((3, 8, 8), np.float32),
    )  # fmt: skip


@pytest.fixture
def batch() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype(np.float32)


def test_the_model_gives_the_same_and_latents_are_read_at_each_position(batch: np.ndarray) -> None:
    plain, sae = target(), autoencoder()
    spliced = target().with_saes(
        [SaeOn("conv", sae), SaeOn("tokens", sae), SaeOn("head", autoencoder(width=3))]
    )
    names = ["conv", "conv.topk", "tokens", "tokens.topk", "head.topk"]
    found = spliced.run(batch, names)
    without = plain.run(batch, ["conv", "tokens"])
    np.testing.assert_array_equal(found.probabilities, without.probabilities)
    for layer in ("conv", "tokens"):
        np.testing.assert_array_equal(found.activations[layer], without.activations[layer])
    maps = plain.module.conv(torch.tensor(batch))
    latents = sae.encode(maps.permute(0, 2, 3, 1))
    np.testing.assert_allclose(found.activations["conv.topk"], latents.mean((1, 2)).detach(), atol=1e-5)
    assert {one.layer: one.shape for one in spliced.layers()}["tokens.topk"] == (64, LATENTS)
    seen = spliced.maps(batch, "conv.topk", [2, 7])
    np.testing.assert_allclose(seen, latents.permute(0, 3, 1, 2)[:, [2, 7]].detach(), atol=1e-5)
    assert spliced.head("conv.topk") is None


def test_a_latent_that_is_held_changes_what_it_adds_and_nothing_else(batch: np.ndarray) -> None:
    sae = autoencoder(Relu())
    spliced = target().with_saes([SaeOn("tokens", sae)])
    held = spliced.held(batch, {"tokens.relu": ([4], np.zeros((4, 1), np.float32))})
    module = target().module
    maps = module.relu(module.conv(torch.tensor(batch)))
    tokens = module.tokens(maps.flatten(2).transpose(1, 2))
    less = tokens - sae.encode(tokens)[..., 4:5] * sae.decoder[4]
    wanted = module.head(less.mean(1)).softmax(1)
    np.testing.assert_allclose(held, wanted.detach(), atol=1e-5)
    slopes = spliced.slopes(batch, "tokens.relu")
    assert slopes.shape == (4, LATENTS, 3)
    wanted = module.head.weight @ sae.decoder.T
    np.testing.assert_allclose(slopes[0], (wanted - wanted.mean(0)).T.detach(), atol=1e-4)


def test_mended_weights_are_the_models_alone(batch: np.ndarray) -> None:
    spliced = target().with_saes([SaeOn("conv", autoencoder())])
    with pytest.raises(BadInputError, match="switched off in the weights"):
        spliced.mended("conv.topk", [0], np.zeros(1), {})


def test_what_does_not_fit_is_a_sentence(batch: np.ndarray) -> None:
    with pytest.raises(NotFoundError, match="no layer 'layer9'"):
        target().with_saes([SaeOn("layer9", autoencoder())])
    wide = target().with_saes([SaeOn("conv", autoencoder(width=7))])
    with pytest.raises(BadInputError, match="reads 7 numbers a position, and the layer gives 5 x 8 x 8"):
        wide.run(batch, ["conv.topk"])


def test_a_second_one_on_a_layer_has_its_own_name() -> None:
    sae = autoencoder()
    assert list(latent_layers([SaeOn("a", sae), SaeOn("a", sae), SaeOn("b", sae)])) == [
        "a.topk",
        "a.topk-2",
        "b.topk",
    ]
