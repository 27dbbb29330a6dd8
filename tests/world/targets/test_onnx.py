"""ONNX files as torch writes them: predictions, tensors between nodes, batches, odd files."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.columns import BesideTarget, entered
from csp.world.protocols.target import open_target
from tests.world.tiny import CLASSES, pictures

NAMES = list(CLASSES.values())


class Net(nn.Module):
    def __init__(self, last: nn.Module | None = None, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, stride=2)
        self.head = nn.Linear(5, classes)
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.conv(x).relu()
        logits: torch.Tensor = self.head(features.mean((2, 3)))
        return logits if self.last is None else self.last(logits)


def written(file: Path, net: nn.Module, *, batch: bool = True, **facts: Any) -> Path:
    """Export by torch's own writer, with metadata as JSON."""
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    shapes = ({0: torch.export.Dim("images", min=1, max=64)},) if batch else None
    example = torch.zeros(2 if batch else 1, 3, 20, 28)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(), (example,), file, dynamic_shapes=shapes, verbose=False, external_data=False
        )
    graph = onnx.load(str(file))
    helper.set_model_props(graph, {key: json.dumps(value) for key, value in facts.items()})
    onnx.save(graph, str(file))
    return file


def prepared(target: Any, count: int) -> np.ndarray:
    return np.stack([target.preprocess(image) for image in pictures(count, 60, 40)])


@pytest.mark.parametrize("batch", [True, False])
@torch.inference_mode()
def test_predictions_and_layers_are_those_of_torch(tmp_path: Path, batch: bool) -> None:
    net = Net()
    file = written(tmp_path / "skin7.onnx", net, batch=batch, classes=NAMES, mean=[0, 0, 0], std=[1, 1, 1])
    target = open_target(f"onnx:{file}")
    assert (target.name, target.classes, target.input_size) == ("skin7", tuple(NAMES), (20, 28))
    images = prepared(target, 5)
    assert images.min() >= 0
    assert images.max() <= 1
    maps = net.conv(torch.tensor(images)).relu()
    conv = next(info.layer for info in target.layers() if info.type == "Relu")
    found = target.run(images, [conv])
    assert found.probabilities is not None
    assert np.allclose(found.probabilities, net(torch.tensor(images)).softmax(1), atol=1e-5)
    assert np.allclose(found.activations[conv], maps.mean((2, 3)), atol=1e-5)
    strongest = open_target(f"onnx:{file}", pooling="max").run(images, [conv]).activations[conv]
    assert np.allclose(strongest, maps.amax((2, 3)), atol=1e-5)


class Late(nn.Module):
    """Features first, then probabilities, of which the last node says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.net.conv(x), self.net(x).softmax(1).reshape(-1, 3)


@pytest.mark.parametrize("scheme", ["onnx", "export", "torchscript"])
@torch.inference_mode()
def test_probabilities_that_do_not_come_first_or_last_are_found(tmp_path: Path, scheme: str) -> None:
    net, example = Late().eval(), torch.zeros(2, 3, 20, 28)
    shapes, facts = ({0: torch.export.Dim("images", min=1, max=64)},), json.dumps({"input_size": [20, 28]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if scheme == "onnx":
            written(tmp_path / "late", net)
        elif scheme == "export":
            made = torch.export.export(net, (example,), dynamic_shapes=shapes)
            torch.export.save(made, tmp_path / "late")
        else:
            traced = torch.jit.trace(net, example)
            torch.jit.save(traced, tmp_path / "late", _extra_files={"csp.json": facts})
    target = open_target(f"{scheme}:{tmp_path / 'late'}")
    batch = prepared(target, 3)
    np.testing.assert_allclose(target.run(batch, []).probabilities, net(torch.tensor(batch))[1], atol=1e-5)


@pytest.mark.parametrize(("kind", "words"), [(TensorProto.FLOAT16, ""), (TensorProto.UINT8, "as UINT8")])
def test_pictures_of_other_numbers(tmp_path: Path, kind: int, words: str) -> None:
    graph = helper.make_graph(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)],
        "other",
        [helper.make_tensor_value_info("x", kind, [None, 3, 20, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 3, 20, 28])],
    )
    onnx.save(helper.make_model(graph, ir_version=8), str(tmp_path / "x.onnx"))
    if words:
        with pytest.raises(BadInputError, match=words):
            open_target(f"onnx:{tmp_path / 'x.onnx'}")
    else:
        target = open_target(f"onnx:{tmp_path / 'x.onnx'}")
        batch = prepared(target, 2)
        found = target.run(batch, ["y"]).activations["y"]
        np.testing.assert_allclose(found, batch.mean((2, 3)), atol=1e-2)


@pytest.mark.parametrize(
    ("last", "classes", "of"),
    [
        (nn.Softmax(1), 3, lambda logits: logits.softmax(1)),
        (nn.Sigmoid(), 3, lambda logits: logits.sigmoid()),
        (nn.Sigmoid(), 1, lambda logits: torch.cat([1 - logits.sigmoid(), logits.sigmoid()], 1)),
    ],
)
@torch.inference_mode()
def test_a_graph_that_ends_in_probabilities(tmp_path: Path, last: nn.Module, classes: int, of: Any) -> None:
    net = Net(last, classes)
    target = open_target(f"onnx:{written(tmp_path / 'skin7.onnx', net)}")
    images = prepared(target, 3)
    net.last = None
    found = target.run(images, []).probabilities
    assert found is not None
    assert np.allclose(found, of(net(torch.tensor(images))), atol=1e-5)


def test_what_the_file_does_not_say_is_noted(tmp_path: Path) -> None:
    target = open_target(f"onnx:{written(tmp_path / 'skin7.onnx', Net())}")
    assert target.classes == ("class 0", "class 1", "class 2")
    assert any("normalised" in note for note in target.notes)


def test_a_layer_with_a_typo_names_the_nearest(tmp_path: Path) -> None:
    target = open_target(f"onnx:{written(tmp_path / 'skin7.onnx', Net())}")
    layer = target.layers()[0].layer
    with pytest.raises(NotFoundError, match=f"nearest: .*{layer}"):
        target.run(prepared(target, 2), [f"{layer}x"])


def graph(shape: list[Any], inputs: int = 1) -> Any:
    given = [helper.make_tensor_value_info(f"x{n}", TensorProto.FLOAT, shape) for n in range(inputs)]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * len(shape))
    made = helper.make_graph([helper.make_node("Relu", ["x0"], ["y"])], "g", given, [out])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_pictures_with_colours_last(tmp_path: Path) -> None:
    onnx.save(graph(["n", 8, 12, 3]), str(tmp_path / "keras.onnx"))
    target = open_target(f"onnx:{tmp_path / 'keras.onnx'}")
    assert (target.input_size, target.classes) == ((8, 12), ())
    images = prepared(target, 2)
    found = target.run(images, ["y"])
    assert found.probabilities is None
    assert np.allclose(found.activations["y"], np.maximum(images, 0).mean((2, 3)), atol=1e-5)


@pytest.mark.parametrize(("shape", "inputs"), [(["n", 3, 8, 8], 2), (["n", 8], 1), (["n", 4, 8, 8], 1)])
def test_a_model_that_takes_no_picture(tmp_path: Path, shape: list[Any], inputs: int) -> None:
    onnx.save(graph(shape, inputs), str(tmp_path / "odd.onnx"))
    with pytest.raises(BadInputError, match="must take one picture"):
        open_target(f"onnx:{tmp_path / 'odd.onnx'}")


@pytest.mark.parametrize(
    ("facts", "words"), [({"std": [1, 0, 1]}, "std"), ({"mean": "grey"}, "mean"), ({"mean": [1, 2]}, "mean")]
)
def test_metadata_that_is_odd(tmp_path: Path, facts: dict[str, Any], words: str) -> None:
    made = graph(["n", 3, 8, 8])
    helper.set_model_props(made, {key: json.dumps(value) for key, value in facts.items()})
    onnx.save(made, str(tmp_path / "odd.onnx"))
    with pytest.raises(BadInputError, match=words):
        open_target(f"onnx:{tmp_path / 'odd.onnx'}")


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x09\x12\x00" * 9])
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.onnx").write_bytes(content)
    with pytest.raises(BadInputError, match=r"no ONNX file that can be read|must take one picture"):
        open_target(f"onnx:{tmp_path / 'odd.onnx'}")
    with pytest.raises(NotFoundError):
        open_target(f"onnx:{tmp_path / 'none.onnx'}")
    with pytest.raises(BadInputError, match="folder"):
        open_target(f"onnx:{tmp_path}")


class Beside(nn.Module):
    """Takes an age and one of two sexes, as a row of a zero and a one, beside the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor, age: torch.Tensor, sex: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(torch.cat([x.mean((2, 3)), age[:, None], sex], 1))
        return logits


@torch.inference_mode()
def test_values_beside_the_picture(tmp_path: Path) -> None:
    net, file = Beside().eval(), tmp_path / "beside.onnx"
    example = torch.zeros(1, 3, 8, 8), torch.zeros(1), torch.zeros(1, 2)
    torch.onnx.export(net, example, file, verbose=False, external_data=False)
    with pytest.raises(BadInputError, match=r"takes 2 numbers for 'sex'"):
        open_target(f"onnx:{file}")
    graph = onnx.load(str(file))
    columns = {"sex": {"choices": ["female", "male"]}, "age": {"default": 50}}
    helper.set_model_props(graph, {"columns": json.dumps(columns)})
    onnx.save(graph, str(file))
    target = open_target(f"onnx:{file}")
    assert isinstance(target, BesideTarget)
    images = prepared(target, 3)
    values = entered(target.columns, [{"age": 20, "sex": "male"}, {}, {"age": 80, "sex": "female"}])
    age, sex = torch.tensor([20.0, 50.0, 80.0]), torch.tensor([[0.0, 1], [1, 0], [1, 0]])
    found = target.given(values).run(images, []).probabilities
    assert np.allclose(found, net(torch.tensor(images), age, sex).softmax(1), atol=1e-5)
