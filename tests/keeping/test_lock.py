"""One holder at a time; whoever looks is none."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from csp.errors import UnavailableError
from csp.keeping import lock

HOLDING = """
import pathlib, sys
from csp.keeping import lock
lock.acquire(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_holds_it_until_it_is_given_back(tmp_path: Path) -> None:
    assert not lock.held(tmp_path)
    descriptor = lock.acquire(tmp_path)
    assert lock.held(tmp_path)
    with pytest.raises(UnavailableError, match=rf"another process \({os.getpid()}\) is writing"):
        lock.acquire(tmp_path)
    lock.release(descriptor)
    assert not lock.held(tmp_path)


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert lock.held(tmp_path)
        with pytest.raises(UnavailableError, match=rf"\({holder.pid}\)"):
            lock.acquire(tmp_path)
        holder.kill()
        holder.wait()
        assert not lock.held(tmp_path)
        lock.release(lock.acquire(tmp_path))


def test_a_child_that_inherits_it_goes_on_holding(tmp_path: Path) -> None:
    descriptor = lock.acquire(tmp_path)
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, pass_fds=(descriptor,)) as child:
        lock.release(descriptor)
        assert lock.held(tmp_path)
        child.communicate()
        assert not lock.held(tmp_path)


def test_looking_keeps_nobody_from_it_and_is_not_taken_for_a_holder(tmp_path: Path) -> None:
    lock.release(lock.acquire(tmp_path))
    with ThreadPoolExecutor(8) as many:
        assert not any(many.map(lambda _: lock.held(tmp_path), range(400)))
        looking = many.map(lambda _: lock.held(tmp_path), range(400))
        for _ in range(20):
            lock.release(lock.acquire(tmp_path))
        list(looking)


def test_a_folder_removed_by_its_holder_is_not_locked_in_vain(tmp_path: Path) -> None:
    descriptor = lock.acquire(tmp_path)
    (tmp_path / lock.LOCK_NAME).unlink()
    other = lock.acquire(tmp_path)
    lock.release(descriptor)
    assert lock.held(tmp_path)
    lock.release(other)
