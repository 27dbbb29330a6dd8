"""Files that people name: written whole, through links, with their permissions; pipes as they are."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import NoReturn

import pytest

from csp.errors import UnavailableError
from csp.keeping import atomic

TO_STDOUT = (
    "from pathlib import Path; from csp.keeping.atomic import deliver; deliver(Path('/dev/stdout'), b'abc')"
)


def test_a_link_keeps_its_target_and_that_its_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "far" / "a.csv", tmp_path / "a.csv"
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    atomic.deliver(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o640
    hanging = tmp_path / "b.csv"
    hanging.symlink_to(tmp_path / "far" / "b.csv")
    atomic.deliver(hanging, b"b")
    assert hanging.is_symlink() and (tmp_path / "far" / "b.csv").read_bytes() == b"b"
    assert {path.name for path in tmp_path.rglob("*")} == {"far", "a.csv", "b.csv"}


def test_a_name_of_255_characters_is_one(tmp_path: Path) -> None:
    atomic.deliver(tmp_path / ("x" * 251 + ".csv"), b"abc")


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    atomic.deliver(pipe, b"abc")
    reader.join()
    assert read == [b"abc"] and pipe.is_fifo()


def test_stdout_goes_on_where_it_stands(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TO_STDOUT], capture_output=True, check=True)
    assert done.stdout == b"abc"
    log = tmp_path / "log.txt"
    log.write_bytes(b"before ")
    with log.open("ab") as appended:
        subprocess.run([sys.executable, "-c", TO_STDOUT], stdout=appended, check=True)
    assert log.read_bytes() == b"before abc"


@pytest.mark.parametrize("name", ["missing/a.csv", "folder", "nul\0.csv", "x" * 300, "ring"])
def test_what_cannot_be_written_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(UnavailableError, match=r"can't be written \("):
        atomic.deliver(tmp_path / name, b"abc")
    if name != "folder":
        with pytest.raises(UnavailableError, match=r"can't be written \("):
            atomic.expect_delivery(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "ring"}


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a.csv").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left"):
        atomic.deliver(tmp_path / "a.csv", b"new")
    with pytest.raises(OSError, match="No space left"):
        atomic.write_bytes(tmp_path / "a.csv", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.csv", b"old")]


def test_a_full_disk_is_told_before_long_work(tmp_path: Path) -> None:
    """A limit on the size of files is met as the end of a disk is: midway in writing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(UnavailableError, match=r"a\.csv can't be written \("):
            atomic.expect_delivery(tmp_path / "a.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
    atomic.expect_delivery(tmp_path / "a.csv")
    atomic.expect_delivery(Path("/dev/null"))
    assert list(tmp_path.iterdir()) == []
