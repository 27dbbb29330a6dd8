"""Files of torch.export, written by it: modules by name, hooks and gradients, and what is refused."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.columns import BesideTarget, entered
from csp.world.protocols.target import ExplainableTarget, open_target
from csp.world.torch_models.target import TorchTarget
from tests.world.tiny import CLASSES, pictures

NAMES = list(CLASSES.values())


class Net(nn.Module):
    """A picture and an age; the ReLU works in place."""

    def __init__(self, last: nn.Module | None = None) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(inplace=True))
        self.head = nn.Linear(6, 3)
        self.last = last

    def forward(self, x: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head(torch.cat([self.stem(x).mean((2, 3)), age[:, None] / 50], 1))
        return found if self.last is None else self.last(found)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


def written(file: Path, net: nn.Module, *, batch: bool = True, **facts: Any) -> Path:
    """By torch.export.save."""
    kind = net.head.weight.dtype
    example = torch.rand(2, 3, 20, 28, dtype=kind), torch.rand(2, dtype=kind)
    rows = Dim("rows", min=1, max=512)
    shapes = ({0: rows}, {0: rows}) if batch else None
    program = torch.export.export(net.eval(), example, dynamic_shapes=shapes)
    torch.export.save(program, file, extra_files={"csp.json": json.dumps(facts)})
    return file


@pytest.mark.parametrize("kind", [torch.half, torch.bfloat16])
@torch.inference_mode()
def test_a_program_of_half_precision_is_given_what_it_takes(
    net: Net, tmp_path: Path, kind: torch.dtype
) -> None:
    file = written(tmp_path / "half.pt2", net.to(kind), columns={"age": {"default": 40}})
    target = open_target(f"export:{file}")
    assert isinstance(target, TorchTarget)
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    found = target.given(entered(target.columns, [{"age": 20}, {}, {"age": 70}])).run(batch, ["stem"])
    given = net(torch.tensor(batch).to(kind), torch.tensor([20, 40, 70], dtype=kind))
    np.testing.assert_allclose(found.probabilities, given.float().softmax(1), atol=1e-2)
    assert found.activations["stem"].dtype == np.float32


@pytest.mark.parametrize("last", [None, nn.Softmax(1), nn.Sigmoid()])
def test_all_that_torch_offers_is_there(net: Net, tmp_path: Path, last: nn.Module | None) -> None:
    net.last = last
    file = written(tmp_path / "skin.pt2", net, classes=NAMES, columns={"age": {"default": 40}})
    target = open_target(f"export:{file}")
    assert isinstance(target, TorchTarget)
    assert (target.name, target.classes, target.input_size) == ("skin", tuple(NAMES), (20, 28))
    known = {one.layer: one.type for one in target.layers()}
    assert {
        "stem": "Sequential",
        "stem.0": "Conv2d",
        "stem.2": "ReLU",
        "head": "Linear",
    }.items() <= known.items()
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    values = entered(target.columns, [{"age": 20}, {}, {"age": 70}])
    found = target.given(values).run(batch, ["stem.1", "stem"])
    with torch.inference_mode():
        given = net(torch.tensor(batch), torch.tensor([20.0, 40.0, 70.0]))
        normed = net.stem[1](net.stem[0](torch.tensor(batch)))
    np.testing.assert_allclose(found.probabilities, given.softmax(1) if last is None else given, atol=1e-5)
    np.testing.assert_allclose(found.activations["stem.1"], normed.mean((2, 3)), atol=1e-5)
    np.testing.assert_allclose(found.activations["stem"], normed.relu().mean((2, 3)), atol=1e-5)
    assert isinstance(target, ExplainableTarget)
    assert target.maps(batch, "stem", [1]).shape == (3, 1, 18, 26)
    assert target.contributions(batch, "stem").values.any()


class Rows(nn.Module):
    """A picture, and four numbers beside it: a sex as zeros and a one, and an age."""

    def forward(self, x: torch.Tensor, meta: torch.Tensor) -> torch.Tensor:
        return torch.cat([meta * 3, x.mean((1, 2, 3))[:, None]], 1)


@pytest.mark.parametrize("scheme", ["export", "torchscript"])
def test_columns_are_joined_in_the_row_that_it_takes(tmp_path: Path, scheme: str) -> None:
    sex = {"choices": ["female", "male", "unknown"], "default": "unknown"}
    facts = {
        "columns": {"meta": {"joined": {"sex": sex, "age": {"scale": 0.01, "default": 40}}}},
        "input_size": 8,
    }
    said, file = {"csp.json": json.dumps(facts)}, tmp_path / "rows"
    if scheme == "export":
        rows = Dim("rows", min=1, max=512)
        example = torch.rand(2, 3, 8, 8), torch.rand(2, 4)
        program = torch.export.export(Rows(), example, dynamic_shapes=({0: rows}, {0: rows}))
        torch.export.save(program, file, extra_files=said)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.script(Rows()), file, _extra_files=said)
    target = open_target(f"{scheme}:{file}")
    assert isinstance(target, BesideTarget)
    values = entered(target.columns, [{"sex": "male", "age": 50}, {}])
    found = target.given(values).run(np.zeros((2, 3, 8, 8), np.float32), []).probabilities
    logits = torch.tensor([[0, 3, 0, 1.5, 0], [0, 0, 3, 1.2, 0]])
    np.testing.assert_allclose(found, logits.softmax(1), atol=1e-6)


def test_a_fixed_number_of_pictures_is_told(net: Net, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="exactly 2 pictures at a time"):
        open_target(f"export:{written(tmp_path / 'skin.pt2', net, batch=False)}")


def rewritten(file: Path, entry: str, change: Any) -> Path:
    """The archive with one entry changed, or one added."""
    with zipfile.ZipFile(file) as archive:
        content = {one.filename: archive.read(one) for one in archive.infolist()}
    (root,) = {name.partition("/")[0] for name in content}
    content[f"{root}/{entry}"] = change(content.get(f"{root}/{entry}", b""))
    with zipfile.ZipFile(file, "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)
    return file


def swap(old: str, new: str) -> Any:
    """A change of all such places in a text."""
    return lambda text: text.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("entry", "change", "words"),
    [
        (
            "models/model.json",
            lambda text: text.replace(b"aten.linear.default", b"aten.from_file.default"),
            "from_file",
        ),
        (
            "models/model.json",
            lambda text: text.replace(b"torch.ops.aten.linear.default", b"torch.hub.load"),
            "hub",
        ),
        ("models/model.json", lambda text: text.replace(b"Symbol('s", b"exit('s"), "a size"),
        ("models/other.json", lambda _: b"{}", "2 graphs"),
        (
            "data/weights/model_weights_config.json",
            swap('"use_pickle": false', '"use_pickle": true'),
            "unpickling",
        ),
        ("data/constants/model.pt", lambda _: b"cos\nsystem\n", "unpickling"),
        ("data/sample_inputs/model.pt", lambda _: b"cos\nsystem\n", "sample inputs"),
        ("data/aotinductor/model/x.so", lambda _: b"", "compiled code"),
        ("extra/csp.json", lambda _: b"[]", "no object"),
        ("models/model.json", lambda _: b"{", "no file of torch.export"),
    ],
)
def test_what_would_run_code_is_refused(
    net: Net, tmp_path: Path, entry: str, change: Any, words: str
) -> None:
    file = rewritten(written(tmp_path / "skin.pt2", net), entry, change)
    with pytest.raises(BadInputError, match=words):
        open_target(f"export:{file}")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "odd.pt2").write_bytes(b"no archive")
    with pytest.raises(BadInputError, match=r"no file of torch\.export"):
        open_target(f"export:{tmp_path / 'odd.pt2'}")
    with pytest.raises(NotFoundError):
        open_target(f"export:{tmp_path / 'none.pt2'}")
    with pytest.raises(BadInputError, match="folder"):
        open_target(f"export:{tmp_path}")
