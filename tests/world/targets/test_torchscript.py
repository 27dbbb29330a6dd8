"""TorchScript files, written by torch: modules by name though no hook reaches them, and what is refused."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.columns import entered
from csp.world.protocols.target import open_target
from csp.world.targets.torchscript import ScriptTarget
from tests.world.targets.test_exported import NAMES, Net, rewritten
from tests.world.tiny import pictures


def written(file: Path, net: nn.Module, how: str = "script", **facts: Any) -> Path:
    """By torch.jit.save."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.jit.script(net.eval())
        if how == "trace":
            kind = net.head.weight.dtype
            made = torch.jit.trace(net, (torch.rand(2, 3, 20, 28, dtype=kind), torch.rand(2, dtype=kind)))
        if how == "freeze":
            made = torch.jit.freeze(made)
        torch.jit.save(made, file, _extra_files={"csp.json": json.dumps(facts)})
    return file


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    net = Net(nn.Identity())
    net.stem[1].weight.data.uniform_(-1, 1)
    return net.eval()


@pytest.mark.parametrize("how", ["script", "trace", "freeze"])
@torch.inference_mode()
def test_a_model_of_half_precision_is_given_what_it_takes(net: Net, tmp_path: Path, how: str) -> None:
    columns = {"age": {"default": 40}}
    file = written(tmp_path / "half.pt", net.half(), how, input_size=[20, 28], columns=columns)
    target = open_target(f"torchscript:{file}")
    assert isinstance(target, ScriptTarget)
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    layer = "stem" if how != "freeze" else "relu_"
    found = target.given(entered(target.columns, [{"age": 20}, {}, {"age": 70}])).run(batch, [layer])
    given = net(torch.tensor(batch).half(), torch.tensor([20, 40, 70]).half())
    np.testing.assert_allclose(found.probabilities, given.float().softmax(1), atol=1e-2)
    assert found.activations[layer].dtype == np.float32


@pytest.mark.parametrize("how", ["script", "trace", "freeze"])
@torch.inference_mode()
def test_predictions_and_layers_are_those_of_torch(net: Net, tmp_path: Path, how: str) -> None:
    columns = {"age": {"default": 40}}
    file = written(tmp_path / "skin.pt", net, how, classes=NAMES, input_size=[20, 28], columns=columns)
    target = open_target(f"torchscript:{file}")
    assert isinstance(target, ScriptTarget)
    assert (target.name, target.classes, target.input_size) == ("skin", tuple(NAMES), (20, 28))
    known = {one.layer: one for one in target.layers()}
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    values = entered(target.columns, [{"age": 20}, {}, {"age": 70}])
    normed = net.stem[1](net.stem[0](torch.tensor(batch)))
    names = ["stem.1", "stem"] if how != "freeze" else ["conv2d", "relu_"]
    assert names[1] in known
    found = target.given(values).run(batch, names)
    given = net(torch.tensor(batch), torch.tensor([20.0, 40.0, 70.0]))
    np.testing.assert_allclose(found.probabilities, given.softmax(1), atol=1e-5)
    np.testing.assert_allclose(found.activations[names[0]], normed.mean((2, 3)), atol=1e-5)
    np.testing.assert_allclose(found.activations[names[1]], normed.relu().mean((2, 3)), atol=1e-5)
    if how != "freeze":
        assert (known["stem.0"].type, known["stem"].parameters) == ("Conv2d", 3 * 5 * 9 + 5 + 10)
    with pytest.raises(NotFoundError, match=rf"nearest: .*{names[1]}"):
        target.run(batch, [f"{names[1]}x"])


def test_a_model_that_gives_probabilities(net: Net, tmp_path: Path) -> None:
    net.last = nn.Softmax(1)
    target = open_target(f"torchscript:{written(tmp_path / 'skin.pt', net, input_size=[20, 28])}")
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    with torch.inference_mode():
        expected = net(torch.tensor(batch), torch.zeros(2))
    np.testing.assert_allclose(target.run(batch, []).probabilities, expected, atol=1e-5)


class Writer(nn.Module):
    """Code of a stranger."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Writes a file."""
        torch.save(x, "stolen")
        return x


class Two(nn.Module):
    """Takes no picture first."""

    def forward(self, x: torch.Tensor, more: int) -> torch.Tensor:
        """Takes a plain number."""
        return x + more


@pytest.mark.parametrize(("net", "words"), [(Writer(), "'save'"), (Two(), "as tensors")])
def test_models_that_are_refused(tmp_path: Path, net: nn.Module, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        open_target(f"torchscript:{written(tmp_path / 'odd.pt', net)}")


def test_code_that_runs_while_it_is_opened_is_refused(net: Net, tmp_path: Path) -> None:
    file = written(tmp_path / "skin.pt", net)
    with zipfile.ZipFile(file) as archive:
        code = next(name for name in archive.namelist() if name.endswith(".py") and "test_exported" in name)
    changed = rewritten(file, code.partition("/")[2], lambda text: text + b"  def __setstate__(self): pass\n")
    with pytest.raises(BadInputError, match="__setstate__"):
        open_target(f"torchscript:{changed}")


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.pt").write_bytes(content)
    with pytest.raises(BadInputError, match="no TorchScript file"):
        open_target(f"torchscript:{tmp_path / 'odd.pt'}")
