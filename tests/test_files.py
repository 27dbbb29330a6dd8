"""Only regular files are opened: no device, pipe, socket or folder, nor a name that no file can have."""

import os
import socket
from pathlib import Path

import pytest

from csp.errors import BadInputError
from csp.files import expanded, is_regular, open_regular, read_regular


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
