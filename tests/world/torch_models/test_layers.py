from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet, SwinTransformer, VisionTransformer, resnet18

from csp.errors import BadInputError, NotFoundError
from csp.world.torch_models.layers import list_layers, places_of, pool, read_layers, weights_hash


@pytest.fixture(scope="module")
def resnet() -> ResNet:
    torch.manual_seed(0)
    return resnet18(num_classes=4).eval()


@pytest.fixture(scope="module")
def batch() -> Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def stem(model: ResNet, batch: Tensor) -> Tensor:
    return model.maxpool(model.relu(model.bn1(model.conv1(batch))))


@torch.inference_mode()
def test_feature_maps_equal_a_pass_without_hooks(resnet: ResNet, batch: Tensor) -> None:
    maps = resnet.layer4(resnet.layer3(resnet.layer2(resnet.layer1(stem(resnet, batch)))))
    reduced: dict[str, Callable[[Tensor], Tensor]] = {
        "mean": lambda x: x.mean((2, 3)),
        "max": lambda x: x.amax((2, 3)),
        "max,layer4=mean": lambda x: x.mean((2, 3)),
        "quantile:0.5": lambda x: x.flatten(2).sort().values[:, :, 1],
        "layer4=quantile:0.95": lambda x: x.amax((2, 3)),
    }
    assert maps.shape[2:] == (2, 2)
    for pooling, reduce in reduced.items():
        read, _ = read_layers(resnet, batch, ["layer4"], pooling)
        assert read["layer4"].dtype == np.float32
        assert np.allclose(read["layer4"], reduce(maps), atol=1e-6)


@torch.inference_mode()
def test_an_output_changed_in_place_later_is_read_before(resnet: ResNet, batch: Tensor) -> None:
    block = resnet.layer1[0]
    inner = block.bn2(block.conv2(block.relu(block.bn1(block.conv1(stem(resnet, batch))))))
    read, _ = read_layers(resnet, batch, ["layer1.0.bn2"], "mean")
    assert np.allclose(read["layer1.0.bn2"], inner.mean((2, 3)), atol=1e-6)


def test_several_layers_in_one_pass_are_each_as_alone(resnet: ResNet, batch: Tensor) -> None:
    layers = ["conv1", "layer1.0.relu", "layer3.1.conv2", "avgpool", "fc"]
    together, output = read_layers(resnet, batch, layers, "mean")
    assert list(together) == layers
    for layer in layers:
        assert np.array_equal(read_layers(resnet, batch, [layer], "mean")[0][layer], together[layer])
    assert np.array_equal(together["fc"], output)
    with torch.inference_mode():
        assert torch.equal(output, resnet(batch))


def test_a_module_that_runs_twice_gives_its_last_output(resnet: ResNet, batch: Tensor) -> None:
    read, _ = read_layers(resnet, batch, ["layer1.0.relu", "layer1.0"], "max")
    assert np.array_equal(read["layer1.0.relu"], read["layer1.0"])


def test_the_batch_changes_no_image(resnet: ResNet, batch: Tensor) -> None:
    whole, _ = read_layers(resnet, batch, ["layer3"], "mean")
    for row in range(3):
        alone, _ = read_layers(resnet, batch[row : row + 1], ["layer3"], "mean")
        assert np.allclose(alone["layer3"][0], whole["layer3"][row], atol=1e-6)


def test_no_hook_stays_behind(resnet: ResNet, batch: Tensor) -> None:
    read_layers(resnet, batch, ["layer4"], "mean")
    with pytest.raises(BadInputError):
        read_layers(resnet, batch, ["layer4"], "cls")
    list_layers(resnet, (64, 64))
    assert not any(part._forward_hooks for part in resnet.modules())


@torch.inference_mode()
def test_tokens_are_pooled_by_cls_mean_or_max(batch: Tensor) -> None:
    torch.manual_seed(0)
    model = VisionTransformer(64, 16, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16).eval()
    tokens = torch.cat([model.class_token.expand(3, -1, -1), model._process_input(batch)], 1)
    encoded = model.encoder(tokens)
    expected: dict[str, Callable[[Tensor], Tensor]] = {
        "cls": lambda x: x[:, 0],
        "mean": lambda x: x.mean(1),
        "max": lambda x: x.amax(1),
        "quantile:0.001": lambda x: x.amin(1),
    }
    for pooling, reduce in expected.items():
        read, _ = read_layers(
            model, batch, ["encoder", "encoder.layers.encoder_layer_0.self_attention"], pooling
        )  # type: ignore[arg-type]
        assert np.allclose(read["encoder"], reduce(encoded), atol=1e-6)
        assert read["encoder.layers.encoder_layer_0.self_attention"].shape == (3, 8)


@torch.inference_mode()
def test_channels_last_maps_are_pooled_over_space(batch: Tensor) -> None:
    torch.manual_seed(0)
    model = SwinTransformer([4, 4], embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=[4, 4]).eval()
    maps = model.features(batch)
    assert maps.shape == (3, 8, 8, 24)
    read, _ = read_layers(model, batch, ["features", "norm", "permute"], "mean")
    assert np.allclose(read["features"], maps.mean((1, 2)), atol=1e-6)
    assert np.allclose(read["permute"], read["norm"], atol=1e-6)  # the same maps, channels first


@pytest.mark.parametrize(
    ("shape", "aspect", "channels_last", "space"),
    [
        ((2, 64, 7, 7), 1.0, False, (2, 3)),
        ((2, 7, 7, 64), 1.0, False, (1, 2)),
        ((2, 7, 7, 7), 1.0, False, (2, 3)),
        ((2, 7, 7, 7), 1.0, True, (1, 2)),
        ((2, 64, 7, 5), 1.5, False, (2, 3)),
        ((2, 7, 5, 64), 1.5, True, (1, 2)),
        ((2, 512, 1, 1), 1.0, True, (2, 3)),
        ((2, 1, 1, 512), 1.0, False, (1, 2)),
    ],
)
def test_space_is_the_pair_of_axes_shaped_like_the_input(
    shape: tuple[int, ...], aspect: float, channels_last: bool, space: tuple[int, int]
) -> None:
    output = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(pool("x", output, "mean", aspect, channels_last), output.mean(space))


def test_vectors_pass_as_they_are() -> None:
    vectors = torch.rand(2, 5, dtype=torch.float16)
    assert torch.equal(pool("x", vectors, "cls"), vectors.float())
    assert torch.equal(pool("x", vectors[:, :, None], "mean"), vectors.float())


@pytest.mark.parametrize("axes", [1, 5])
def test_outputs_of_other_shapes_are_refused(axes: int) -> None:
    with pytest.raises(BadInputError, match=f"gives {axes} axes"):
        pool("x", torch.rand([2] * axes), "mean")


class Odd(nn.Module):
    """Has a part that never runs, one that forgets the batch, and one that returns no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 3)
        self.mixed = nn.Flatten(0, 1)
        self.words = Words()
        self.waves = Waves()
        self.head = nn.Linear(3, 2)

    def forward(self, batch: Tensor) -> Tensor:
        self.mixed(batch)
        self.words(batch)
        self.waves(batch)
        return self.head(batch.mean((2, 3)))  # type: ignore[no-any-return]


class Waves(nn.Module):
    def forward(self, batch: Tensor) -> Tensor:
        return torch.fft.fft2(batch)


class Words(nn.Module):
    def forward(self, batch: Tensor) -> str:
        return str(batch.shape)


def test_modules_that_give_no_row_an_image_are_not_listed_and_refused() -> None:
    model = Odd()
    assert [(layer.layer, layer.type, layer.shape) for layer in list_layers(model, (8, 8))] == [
        ("head", "Linear", (2,))
    ]
    for layer in ("unused", "mixed", "words"):
        with pytest.raises(BadInputError, match=f"'{layer}' does not give one row per image"):
            read_layers(model, torch.rand(2, 3, 8, 8), [layer], "max")


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(BadInputError, match="gives complex numbers"):
        read_layers(Odd(), torch.rand(2, 3, 8, 8), ["waves"], "mean")


def test_layers_are_listed_with_the_shape_of_one_image(resnet: ResNet) -> None:
    listed = {layer.layer: layer for layer in list_layers(resnet, (64, 64))}
    assert listed["layer4"].shape == (512, 2, 2)
    assert listed["layer4.1.conv2"].type == "Conv2d"
    names = list(listed)
    assert (names[0], names[-1]) == ("conv1", "fc")


@pytest.mark.parametrize("layer", ["layer5", "", "Layer4.0.conv1"])
def test_an_unknown_layer_is_named_with_its_nearest(resnet: ResNet, batch: Tensor, layer: str) -> None:
    with pytest.raises(NotFoundError, match=f"no layer '{layer}'" + (r" \(nearest: " if layer else "")):
        read_layers(resnet, batch, [layer], "mean")


def test_the_weights_hash_follows_every_weight_and_nothing_else(resnet: ResNet) -> None:
    before = weights_hash(resnet)
    other = resnet18(num_classes=4)
    assert weights_hash(other) != before
    other.load_state_dict(resnet.state_dict())
    assert weights_hash(other) == before
    with torch.no_grad():
        other.bn1.running_mean[0] += 1e-6
    assert weights_hash(other) != before


@pytest.mark.parametrize(("extra", "shape"), [(0, (4, 6)), (1, (4, 6)), (5, (4, 6))])
def test_of_patches_the_highest_counts_and_its_place_is_known(extra: int, shape: tuple[int, int]) -> None:
    rows, columns = shape
    maps = torch.rand(2, 3, rows, columns, generator=torch.Generator().manual_seed(extra))
    tokens = torch.cat([torch.full((2, extra, 3), 9.0), maps.flatten(2).transpose(1, 2)], 1)
    for output in (maps, tokens) if extra == 0 else (tokens,):
        assert torch.equal(pool("x", output, "patch", rows / columns), maps.amax((2, 3)))
        places = places_of("x", output, "patch", rows / columns)
        assert places is not None
        for image, neuron in [(0, 0), (1, 2)]:
            x, y = places[image, neuron].tolist()
            row, column = int(y * rows), int(x * columns)
            assert maps[image, neuron, row, column] == maps[image, neuron].max()
            assert (x, y) == pytest.approx(((column + 0.5) / columns, (row + 0.5) / rows))
    assert places_of("x", maps, "max", rows / columns) is None
    assert places_of("x", torch.rand(2, 3), "patch") is None
