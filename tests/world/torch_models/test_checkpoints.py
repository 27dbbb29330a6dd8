"""Files of weights are judged by what is in them; nothing in them runs."""

import argparse
import gzip
import io
import json
import os
import pathlib
import pickle
import tarfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from csp.errors import BadInputError, NotFoundError
from csp.world.torch_models.checkpoints import read_checkpoint

STATE = {"body.weight": torch.arange(6.0).reshape(2, 3), "head.bias": torch.tensor([0.5])}


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)


NAMES = (
    "best.ckpt",
    "model_best.pth.tar",
    "W.PTH",
    "w.SAFETENSORS",
    "weights",
    "w.bin",
    "w.model",
    "epoch=3-step=120.ckpt",
    "a b#2.pt",
)


@given(name=st.sampled_from(NAMES), kind=st.sampled_from(["zip", "legacy", "safetensors"]))
def test_any_name_will_do(tmp_path_factory: pytest.TempPathFactory, name: str, kind: str) -> None:
    path = tmp_path_factory.mktemp("named") / name
    if kind == "safetensors":
        save_file(STATE, path, {"classes": '["a"]'})
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=kind == "zip")
    found = read_checkpoint(str(path))
    assert same(found.states[()], STATE)
    assert found.value("classes") == (["a"] if kind == "safetensors" else None)


WRAPPERS = st.lists(
    st.sampled_from(["state_dict", "model", "model_state_dict", "net", "ema", "weights"]), max_size=3
)


@given(wrappers=WRAPPERS)
def test_state_dicts_are_found_inside_mappings(
    tmp_path_factory: pytest.TempPathFactory, wrappers: list[str]
) -> None:
    content: dict[str, Any] = dict(STATE)
    for wrapper in reversed(wrappers):
        content = {wrapper: content, "epoch": 3, "optimizer": {"state": {0: {"step": torch.tensor(1)}}}}
    path = tmp_path_factory.mktemp("wrapped") / "w.pt"
    torch.save(content, path)
    assert same(read_checkpoint(str(path)).states[tuple(wrappers)], STATE)


@pytest.mark.parametrize("wrapper", ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."])
def test_what_compiling_and_sharding_put_into_names_is_taken_out(tmp_path: Path, wrapper: str) -> None:
    torch.save({f"{wrapper}body.{wrapper}weight": torch.zeros(1)}, tmp_path / "w.pt")
    assert list(read_checkpoint(str(tmp_path / "w.pt")).states[()]) == ["body.weight"]


BESIDE = [
    np.float64(0.9),
    np.float32(0.9),
    np.int64(3),
    np.bool_(True),
    np.array([1.0, 2.0]),
    np.array(["a", "b"]),
    np.random.default_rng(0).normal(size=(2, 2)),
    argparse.Namespace(lr=1e-3, out=pathlib.PosixPath("runs")),
    pathlib.PosixPath("/data"),
    {"rng": np.arange(624, dtype=np.uint32)},
]


@pytest.mark.parametrize("value", BESIDE, ids=repr)
def test_plain_values_beside_the_weights_are_no_code(tmp_path: Path, value: object) -> None:
    torch.save({"state_dict": STATE, "best": value}, tmp_path / "w.pt")
    assert same(read_checkpoint(str(tmp_path / "w.pt")).states[("state_dict",)], STATE)


def test_a_number_that_an_older_numpy_wrote_is_read(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "best": np.float64(0.9)}, tmp_path / "new.pt")
    with ZipFile(tmp_path / "new.pt") as new, ZipFile(tmp_path / "old.pt", "w") as old:
        for entry in new.namelist():
            old.writestr(entry, new.read(entry).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert same(read_checkpoint(str(tmp_path / "old.pt")).states[("state_dict",)], STATE)


class Trap:
    """Makes a folder when it is unpickled, if anybody lets it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("wrap", [lambda trap: trap, lambda trap: {"state_dict": STATE, "hparams": trap}])
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w"])
def test_code_is_refused_by_name_and_not_run(tmp_path: Path, wrap: Any, name: str) -> None:
    torch.save(wrap(Trap(tmp_path / "trapped")), tmp_path / name)
    with pytest.raises(BadInputError, match=r"more than weights \(.*mkdir\) and would run code when read"):
        read_checkpoint(str(tmp_path / name))
    assert not (tmp_path / "trapped").exists()


def shards(folder: Path, ending: str) -> Path:
    """A state dict in two files with their index."""
    names = [f"model-0000{place}-of-00002{ending}" for place in (1, 2)]
    for name, (key, value) in zip(names, STATE.items(), strict=True):
        if ending == ".safetensors":
            save_file({key: value}, folder / name)
        else:
            torch.save({key: value}, folder / name)
    index = folder / f"model{ending}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict(zip(STATE, names, strict=True))}))
    return index


@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
def test_sharded_weights_are_read_through_their_index(tmp_path: Path, ending: str) -> None:
    index = shards(tmp_path, ending)
    assert same(read_checkpoint(str(index)).states[()], STATE)
    (tmp_path / f"model-00002-of-00002{ending}").unlink()
    with pytest.raises(NotFoundError, match="lacks 'model-00002-of-00002"):
        read_checkpoint(str(index))


def test_an_index_names_files_beside_it_only(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "out.safetensors")
    (tmp_path / "in").mkdir()
    index = tmp_path / "in" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"body.weight": "../out.safetensors"}}))
    with pytest.raises(NotFoundError, match=r"lacks '../out.safetensors' beside it"):
        read_checkpoint(str(index))


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.pth"))
    return file.getvalue()


def zipped(entry: str = "weights/readme.txt") -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(entry, "hello")
    return file.getvalue()


OTHERS = {
    "keras": (b"\x89HDF\r\n\x1a\n", "Keras"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "page": (b"<!DOCTYPE html><html>", "web page"),
    "gzip": (gzip.compress(b"x"), "unpack"),
    "tar": (tar(), "unpack"),
    "zip": (zipped(), "damaged"),
    "script": (zipped("skin/constants.pkl"), "open it as torchscript:"),
    "program": (zipped("skin/archive_format"), "open it as export:"),
    "keras 3": (zipped("model.weights.h5"), "open it as keras:"),
    "json": (b'{"a": 1}', "no index of weights"),
    "json list": (b'{"weight_map": [1]}', "no index of weights"),
    "text": (b"weights, honestly", r"save model.state_dict\(\)"),
    "empty": (b"", "empty"),
    "pickle": (pickle.dumps({"a": 1}), "damaged|no state dict|more than weights"),
    "numpy": (b"\x93NUMPY\x01\x00", "NumPy"),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w"])
def test_other_files_are_said_to_be_what_they_are(tmp_path: Path, kind: str, name: str) -> None:
    content, words = OTHERS[kind]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=words) as caught:
        read_checkpoint(str(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)


@given(cut=st.floats(0.01, 0.99), kind=st.sampled_from(["zip", "legacy", "safetensors"]))
def test_cut_off_files_are_refused(tmp_path_factory: pytest.TempPathFactory, cut: float, kind: str) -> None:
    path = tmp_path_factory.mktemp("cut") / "w"
    if kind == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(BadInputError):
        read_checkpoint(str(path))


def test_folders_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is a folder"):
        read_checkpoint(str(tmp_path))
    with pytest.raises(NotFoundError, match="no checkpoint file"):
        read_checkpoint(str(tmp_path / "w.pt"))
    torch.save([1, 2, 3], tmp_path / "list.pt")
    with pytest.raises(BadInputError, match="is no state dict"):
        read_checkpoint(str(tmp_path / "list.pt"))
