"""Only regular files are opened: no device, pipe, socket or folder, nor a name that no file can have."""

import os
import socket
from pathlib import Path

import pytest

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, is_regular, open_regular, read_regular, require_file, require_folder
from csp.world.protocols.dataset import open_dataset
from csp.world.protocols.target import open_target


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "ring").symlink_to("ring")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(tmp_path / "socket"))
    names = ("pipe", "link", "ring", "socket", "nul\0", "half\ud800", "x" * 300, "missing")
    return {"folder": str(tmp_path), "device": "/dev/zero", **{name: f"{tmp_path}/{name}" for name in names}}


def test_what_is_no_regular_file_is_refused_with_a_reason(odd: dict[str, str]) -> None:
    for name in odd.values():
        with pytest.raises(OSError) as refused:
            open_regular(name)
        assert refused.value.strerror
        assert not is_regular(name)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"abc")
    assert read_regular(tmp_path / "there") == b"abc" and is_regular(tmp_path / "there")
    with pytest.raises(OSError, match="more than 2 bytes"):
        read_regular(tmp_path / "there", 2)


def test_nobody_has_no_home() -> None:
    with pytest.raises(BadInputError, match="no user 'nobody-at-all'"):
        expanded("~nobody-at-all/a.csv")
    assert expanded("~") == Path.home()


def test_what_is_there_instead_is_told(odd: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"abc")
    require_file(tmp_path / "there", "The table")
    require_folder(tmp_path, "The folder")
    for name, instead in (
        ("folder", "a folder"),
        ("pipe", "a pipe"),
        ("device", "a device"),
        ("socket", "a socket"),
    ):
        if name != "folder":
            with pytest.raises(BadInputError, match=f"^The folder is {instead}, not a folder.$"):
                require_folder(odd[name], "The folder")
        with pytest.raises(BadInputError, match=f"^The table is {instead}, not a file.$"):
            require_file(odd[name], "The table")
    with pytest.raises(BadInputError, match=r"^The folder is a file, not a folder.$"):
        require_folder(tmp_path / "there", "The folder")
    with pytest.raises(NotFoundError, match=r"^The table does not exist.$"):
        require_file(odd["missing"], "The table")
    for name in ("ring", "nul\0", "half\ud800", "x" * 300):
        with pytest.raises(BadInputError, match=r"^The table can't be read \(.+\).$"):
            require_file(odd[name], "The table")


@pytest.mark.parametrize("kind", ["csv", "folder", "dicom", "hf", "archive", "webdataset"])
def test_no_dataset_says_of_a_pipe_that_nothing_is_there(kind: str, odd: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="is a pipe"):
        open_dataset(f"{kind}:{odd['pipe']}")


@pytest.mark.parametrize("kind", ["onnx:", "timm:", "hf:", "torchvision:resnet18@"])
def test_no_model_says_of_a_pipe_that_nothing_is_there(kind: str, odd: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="is a pipe"):
        open_target(kind + odd["pipe"])
