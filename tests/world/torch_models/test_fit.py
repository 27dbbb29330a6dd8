"""Checkpoints as training programs leave them become the model that was trained."""

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.torch_models.checkpoints import Checkpoint, read_checkpoint
from csp.world.torch_models.fit import Fitted, fit


class Net(nn.Module):
    """A body with batch norm, and a head that sees one row an image."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.stage = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())
        self.fc: nn.Module = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.stage(self.conv(x)).mean((2, 3)))  # type: ignore[no-any-return]


def net(classes: int = 3, seed: int = 0) -> Net:
    torch.manual_seed(seed)
    module = Net(classes)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1)
    return module.eval()


IMAGES = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def answers(module: nn.Module) -> Tensor:
    return module.eval()(IMAGES)  # type: ignore[no-any-return]


def fitted(content: Any, folder: Path, part: str = "") -> Fitted:
    torch.save(content, folder / "w.pt")
    return fit(read_checkpoint(str(folder / "w.pt")), Net, "Net", part)


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


PREFIXES = st.lists(
    st.sampled_from(["module.", "model.", "backbone.", "net.", "encoder.", "_orig_mod.", "conv."]), max_size=3
).map("".join)
STRAYS = st.lists(
    st.sampled_from(["criterion.pos_weight", "n_averaged", "loss.weight", "queue", "model.extra.weight"]),
    unique=True,
)
DTYPES = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64])


@given(
    prefix=PREFIXES,
    strays=STRAYS,
    classes=st.integers(1, 5),
    dtype=DTYPES,
    wrapper=st.sampled_from(["", "model"]),
)
def test_any_prefix_goes_and_stray_keys_are_named(
    tmp_path_factory: pytest.TempPathFactory,
    prefix: str,
    strays: list[str],
    classes: int,
    dtype: torch.dtype,
    wrapper: str,
) -> None:
    module = net(classes)
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in module.state_dict().items()}
    content: dict[str, Any] = {stray: torch.ones(2) for stray in strays} | prefixed(state, prefix)
    found = fitted({wrapper: content} if wrapper else content, tmp_path_factory.mktemp("fit"))
    assert found.logits == classes
    module.load_state_dict(state)
    assert torch.allclose(answers(found.module), answers(module))
    assert all(any(f"'{stray}'" in note for note in found.notes) for stray in strays)
    assert bool(found.notes) == bool(strays)


def averaged(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"n_averaged": torch.tensor(9), **prefixed(state, "module.")}


RAW, MEAN = net(seed=1).state_dict(), net(seed=2).state_dict()
PAIRS = {
    "reference": ({"model_ema": averaged(MEAN), "model": RAW}, "model_ema"),
    "timm": ({"state_dict_ema": MEAN, "state_dict": RAW}, "state_dict_ema"),
    "lightning": (
        {"state_dict": {**prefixed(MEAN, "ema_model.module."), **prefixed(RAW, "model.")}},
        "ema_model",
    ),
    "nested": ({"model": RAW, "callbacks": {"EMA": {"shadow": MEAN}}}, "EMA"),
    "self-distilled": (
        {"teacher": prefixed(MEAN, "backbone."), "student": prefixed(RAW, "backbone.")},
        "teacher",
    ),
    "bare": ({**prefixed(MEAN, "ema."), **RAW}, "ema"),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_of_raw_and_averaged_weights_it_is_said_which_were_taken(tmp_path: Path, kind: str) -> None:
    content, part = PAIRS[kind]
    found = fitted(content, tmp_path)
    assert torch.equal(found.module.state_dict()["fc.weight"], RAW["fc.weight"])
    assert len(found.notes) == 1
    choice = re.search(r"write #(\w+) before the @", found.notes[0])
    assert choice is not None
    assert choice[1] == part
    other = fitted(content, tmp_path, part)
    assert torch.equal(other.module.state_dict()["fc.weight"], MEAN["fc.weight"])
    with pytest.raises(BadInputError, match="no weights under 'swa' that fit; it has '"):
        fitted(content, tmp_path, "swa")


def test_two_copies_of_the_same_weights_are_no_choice(tmp_path: Path) -> None:
    state = net().state_dict()
    assert fitted({"model": state, "net": state}, tmp_path).notes == ()


def with_head(head: nn.Module) -> Net:
    module = net()
    module.fc = head.eval()
    return module


def normed(classes: int) -> nn.Module:
    norm = nn.BatchNorm1d(6)
    norm.running_mean.uniform_(0, 1)  # type: ignore[operator]
    norm.running_var.uniform_(0.5, 1)  # type: ignore[operator]
    return norm


HEADS = {
    "dropout": (lambda: nn.Sequential(nn.Dropout(0.3), nn.Linear(4, 5)), False),
    "linear": (lambda: nn.Sequential(nn.Linear(4, 5)), False),
    "without bias": (lambda: nn.Linear(4, 5, bias=False), False),
    "two": (
        lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, 5)),
        True,
    ),
    "two linear": (lambda: nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 5)), False),
    "norm": (
        lambda: nn.Sequential(nn.Linear(4, 6), normed(6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 5)),
        True,
    ),
    "norm first": (lambda: nn.Sequential(nn.LayerNorm(4), nn.Dropout(0.1), nn.Linear(4, 5)), False),
    "three": (
        lambda: nn.Sequential(
            nn.Dropout(),
            nn.Linear(4, 8),
            nn.ReLU(),
            nn.Linear(8, 6),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(6, 5),
        ),
        True,
    ),
    "nested": (lambda: nn.Sequential(nn.Sequential(nn.Dropout(), nn.Linear(4, 5))), False),
    "named": (
        lambda: nn.Sequential(
            OrderedDict(hidden=nn.Linear(4, 6), act=nn.ReLU(), drop=nn.Dropout(), out=nn.Linear(6, 5))
        ),
        True,
    ),
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("prefix", ["", "model."])
def test_replaced_heads_are_rebuilt_and_said(tmp_path: Path, kind: str, prefix: str) -> None:
    make, assumed = HEADS[kind]
    torch.manual_seed(3)
    trained = with_head(make())
    found = fitted({"state_dict": prefixed(trained.state_dict(), prefix)}, tmp_path)
    assert found.logits == 5
    assert torch.allclose(answers(found.module), answers(trained), atol=1e-6)
    assert ["ReLU is assumed" in note for note in found.notes] == [assumed]
    assert "was rebuilt as" in found.notes[0]


@pytest.mark.parametrize("prefixes", [("backbone.", "head."), ("m.body.", "m.classifier."), ("", "head.1.")])
def test_a_head_beside_the_body_is_taken(tmp_path: Path, prefixes: tuple[str, str]) -> None:
    trained = with_head(nn.Linear(4, 5))
    state = trained.state_dict()
    body = {key: value for key, value in state.items() if not key.startswith("fc.")}
    head = {key.removeprefix("fc."): value for key, value in state.items() if key.startswith("fc.")}
    found = fitted(
        {**prefixed(body, prefixes[0]), **prefixed(head, prefixes[1]), "loss.weight": torch.ones(3)}, tmp_path
    )
    assert torch.allclose(answers(found.module), answers(trained), atol=1e-6)
    assert any("'loss.weight'" in note for note in found.notes)
    assert not any("'head.weight'" in note for note in found.notes)


def lacking(state: dict[str, Tensor], *keys: str) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key not in keys}


def test_what_does_not_fit_is_listed_with_the_way_forward(tmp_path: Path) -> None:
    state = net().state_dict()
    body = lacking(state, "fc.weight", "fc.bias")
    wrong = {
        "is not one of Net: it lacks 'conv.weight'": lacking(state, "conv.weight"),
        "'stage.0.running_mean'": lacking(state, "stage.0.running_mean"),
        r"'conv.weight' as \(4, 1, 3, 3\) instead of \(4, 3, 3, 3\)": state
        | {"conv.weight": torch.ones(4, 1, 3, 3)},
        r"without a classifying head \(it lacks 'fc.weight', 'fc.bias'\)": lacking(
            state, "fc.weight", "fc.bias"
        ),
        "another head, which can't be rebuilt from 'fc.lstm.weight_ih_l0'": lacking(
            state, "fc.weight", "fc.bias"
        )
        | {"fc.lstm.weight_ih_l0": torch.ones(4, 4)},
        "another head, which can't be rebuilt from 'fc.1.weight'": body | {"fc.1.weight": torch.ones(5, 9)},
        "it lacks 'conv.weight', .* it has 'a.weight', 'b.weight' besides": {
            "a.weight": torch.ones(1),
            "b.weight": torch.ones(1),
        },
    }
    for words, content in wrong.items():
        with pytest.raises(BadInputError, match=words) as caught:
            fitted(content, tmp_path)
        assert "python:MODULE:NAME" in str(caught.value)
        assert str(tmp_path / "w.pt") in str(caught.value)


def test_tensors_under_other_names_are_taken_in_order_where_that_is_asked(tmp_path: Path) -> None:
    trained = net(5)
    state = {
        f"_x{at}.{key.rpartition('.')[2]}": value
        for at, (key, value) in enumerate(trained.state_dict().items())
    }
    with pytest.raises(BadInputError, match="write #in-order before the @"):
        fitted(state, tmp_path)
    found = fitted({"state_dict": state}, tmp_path, "in-order")
    assert torch.equal(answers(found.module), answers(trained))
    assert any("in their order, as asked" in note for note in found.notes)
    moved = dict(reversed(state.items()))
    with pytest.raises(BadInputError, match=r"it lacks 'conv\.weight'.*python:MODULE:NAME"):
        fitted(moved, tmp_path, "in-order")


FLOATS = [key for key, value in net().state_dict().items() if value.is_floating_point()]


@given(key=st.sampled_from(FLOATS), value=st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_weights_that_are_no_numbers_are_refused(key: str, value: float) -> None:
    state = net().state_dict()
    state[key].flatten()[0] = value
    with pytest.raises(BadInputError, match=rf"'w.pt' holds weights that are not numbers .*'{key}'"):
        fit(Checkpoint("w.pt", {(): state}), Net, "Net")
