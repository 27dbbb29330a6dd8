"""Maps, contributions and heads against plain passes through the same small networks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet, VisionTransformer, resnet18

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import ExplainableTarget, open_target
from csp.world.torch_models.explain import gradient_times_activation, linear_head, neuron_maps
from csp.world.torch_models.layers import token_grid
from csp.world.torch_models.target import TorchTarget, compared_logits

STEP = 1e-7
"""Small enough that hardly a ReLU changes its mind, in float64."""


@pytest.fixture(scope="module")
def resnet() -> ResNet:
    torch.manual_seed(0)
    return resnet18(num_classes=4).eval()


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    torch.manual_seed(0)
    model = VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3).eval()
    nn.init.normal_(model.heads.head.weight)
    return model


@pytest.fixture(scope="module")
def batch() -> Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def target(module: nn.Module, pooling: Pooling = "mean", size: int = 64, **more: bool) -> TorchTarget:
    heads = [one for one in module.modules() if isinstance(one, nn.Linear)]
    classes = tuple(f"class {number}" for number in range(heads[-1].out_features))
    return TorchTarget(
        "", "", classes, "", (size, size), module, lambda image: np.asarray(image), pooling, **more
    )


def second(logits: Tensor) -> Tensor:
    return logits[:, 1]


@pytest.mark.parametrize("layer", ["layer1.0.bn2", "layer3", "layer4.1"])
def test_the_mean_of_a_map_is_the_activation(resnet: ResNet, batch: Tensor, layer: str) -> None:
    maps = neuron_maps(resnet, batch, layer, [5, 0])
    expected = target(resnet).run(batch.numpy(), [layer]).activations[layer]
    assert maps.ndim == 4
    np.testing.assert_allclose(maps.mean((2, 3)), expected[:, [5, 0]], atol=1e-5)


def test_tokens_of_the_image_are_laid_out_as_it_is(vit: VisionTransformer) -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    maps = neuron_maps(vit, images, "encoder.layers.encoder_layer_1", [3])
    with torch.inference_mode():
        tokens = torch.cat([vit.class_token.expand(2, -1, -1), vit._process_input(images)], 1)
        tokens = vit.encoder.layers(tokens + vit.encoder.pos_embedding)
    assert maps.shape == (2, 1, 4, 4)
    np.testing.assert_allclose(maps[:, 0].reshape(2, 16), tokens[:, 1:, 3], atol=1e-5)


@pytest.mark.parametrize(
    ("tokens", "aspect", "grid"),
    [
        (197, 1, (14, 14)),
        (196, 1, (14, 14)),
        (198, 1, (14, 14)),
        (201, 1, (14, 14)),
        (9, 2, (4, 2)),
        (3, 9, None),
    ],
)
def test_extra_tokens_are_left_out(tokens: int, aspect: float, grid: tuple[int, int] | None) -> None:
    assert token_grid(tokens, aspect) == grid


@pytest.mark.parametrize("kind", ["vit", "swin", "resnet"])
def test_transformers_models_say_where_too(tiny_models: Path, kind: str) -> None:
    found = open_target(f"hf:{tiny_models / kind}")
    assert isinstance(found, ExplainableTarget)
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
    spatial = [info.layer for info in found.layers() if len(info.shape) > 1 and "attn" not in info.layer]
    last = [layer for layer in spatial if layer.endswith(("layer.1", "layernorm", "output", "stages.1"))][-1]
    maps = found.maps(images, last, [0, 1])
    assert maps.shape[:2] == (2, 2)
    assert maps.shape[2] == maps.shape[3] > 0
    assert found.contributions(images, last).values.shape[0] == 2


def test_a_layer_without_space_says_so(resnet: ResNet, batch: Tensor) -> None:
    with pytest.raises(BadInputError, match="can't say where"):
        neuron_maps(resnet, batch, "fc", [0])
    with pytest.raises(NotFoundError, match=r"nearest: layer4"):
        neuron_maps(resnet, batch, "layer44", [0])


def test_a_linear_heads_contributions_are_weight_times_activation(resnet: ResNet, batch: Tensor) -> None:
    found = target(resnet).contributions(batch.numpy(), "layer4")
    activations = target(resnet).run(batch.numpy(), ["layer4"]).activations["layer4"]
    weights = resnet.fc.weight.detach().numpy()
    centred = weights - weights.mean(0)
    np.testing.assert_allclose(found.values, centred[found.classes] * activations, atol=1e-5)
    assert found.exact
    head = target(resnet).head("layer4")
    assert head is not None
    np.testing.assert_allclose(head, centred, atol=1e-6)
    predicted = target(resnet).run(batch.numpy(), []).probabilities.argmax(1)
    assert found.classes.tolist() == predicted.tolist()


@pytest.mark.parametrize("layer", ["layer1.0.bn1", "layer1.0.relu", "layer3.0"])
def test_earlier_layers_are_the_slope_along_the_activation(resnet: ResNet, batch: Tensor, layer: str) -> None:
    """Twin: the change of the logit when one neuron's whole map is scaled by a little more and less."""
    found = gradient_times_activation(resnet, batch, layer, second)
    assert target(resnet).head(layer) is None
    for neuron in (0, 7):
        slope = (
            scaled(resnet, batch, layer, neuron, 1 + STEP) - scaled(resnet, batch, layer, neuron, 1 - STEP)
        ) / (2 * STEP)
        np.testing.assert_allclose(found[:, neuron], slope, atol=1e-3, rtol=1e-3)


def scaled(module: nn.Module, batch: Tensor, layer: str, neuron: int, by: float) -> np.ndarray:
    """The second logit in float64 when the last output of a layer has one map scaled."""
    calls: list[Tensor] = []

    def change(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        calls.append(output)
        changed = output.clone()
        if len(calls) == runs:
            changed[:, neuron] *= by
        return changed

    part = dict(module.named_modules())[layer]
    runs = 0
    counter = part.register_forward_hook(lambda *_: calls.append(batch))
    module.double()
    with torch.no_grad():
        module(batch.double())
    counter.remove()
    runs = len(calls)
    calls.clear()
    handle = part.register_forward_hook(change)
    try:
        with torch.no_grad():
            logit: np.ndarray = module(batch.double())[:, 1].numpy()
            return logit
    finally:
        handle.remove()
        module.float()


@pytest.mark.parametrize("layer", ["layer1.0.bn1", "layer3.0", "layer4"])
def test_a_slope_is_what_a_small_step_of_the_map_gives(resnet: ResNet, batch: Tensor, layer: str) -> None:
    """Twin: the change of every logit when one neuron's whole map rises by a little more and less."""
    found = target(resnet).slopes(batch.numpy(), layer)
    assert found.shape == (len(batch), found.shape[1], 4)
    np.testing.assert_allclose(found.sum(axis=2), 0, atol=1e-4)
    for neuron in (0, 7):
        up, down = (raised(resnet, batch, layer, neuron, step) for step in (STEP, -STEP))
        np.testing.assert_allclose(found[:, neuron], (up - down) / (2 * STEP), atol=1e-3, rtol=1e-3)


def test_of_a_class_token_only_the_token_rises(vit: VisionTransformer) -> None:
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
    read = target(vit, "cls", 32)
    head = read.head("encoder.ln")
    assert head is not None
    np.testing.assert_allclose(read.slopes(images, "encoder.ln"), np.stack([head.T, head.T]), atol=1e-5)


def raised(module: nn.Module, batch: Tensor, layer: str, neuron: int, by: float) -> np.ndarray:
    """The logits, less their mean, in float64 when one map of a layer is higher by a constant."""

    def change(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        changed = output.clone()
        changed[:, neuron] += by
        return changed

    handle = dict(module.named_modules())[layer].register_forward_hook(change)
    module.double()
    try:
        with torch.no_grad():
            logits: Tensor = module(batch.double())
            return (logits - logits.mean(1, keepdim=True)).numpy()
    finally:
        handle.remove()
        module.float()


def test_a_vits_class_token_feeds_a_head(vit: VisionTransformer) -> None:
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
    assert target(vit, "cls", 32).head("encoder.ln") is not None
    assert target(vit, "mean", 32).head("encoder.ln") is None
    found = target(vit, "cls", 32).contributions(images, "encoder.layers.encoder_layer_0")
    assert found.values.shape[0] == len(found.classes) == 2
    assert not found.exact


def test_the_logits_themselves_are_their_own_head(resnet: ResNet, batch: Tensor) -> None:
    weights = linear_head(resnet, batch, "fc", "mean")
    assert weights is not None
    assert np.array_equal(weights, np.eye(4))


@pytest.mark.parametrize(
    ("logits", "multi_label", "compared"),
    [([[3.0]], False, [[-1.5, 1.5]]), ([[1.0, 3.0]], False, [[-1, 1]]), ([[1.0, 3.0]], True, [[1, 3]])],
)
def test_logits_are_compared_with_the_other_classes(
    logits: list[list[float]], multi_label: bool, compared: list[list[float]]
) -> None:
    assert compared_logits(torch.tensor(logits), multi_label).tolist() == compared


def test_a_network_that_ignores_the_layer_gets_nothing_from_it() -> None:
    class Aside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused, self.fc = nn.Conv2d(3, 5, 1), nn.Linear(3, 2)

        def forward(self, images: Tensor) -> Tensor:
            self.unused(images)
            logits: Tensor = self.fc(images.mean((2, 3)))
            return logits

    found = target(Aside().eval(), size=8).contributions(np.ones((2, 3, 8, 8), np.float32), "unused")
    assert found.values.shape == (2, 5)
    assert not found.values.any()
