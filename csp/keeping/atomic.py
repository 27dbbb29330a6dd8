"""Writing that survives a kill: temporary name, fsync, rename."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csp.errors import UnavailableError

TEMPORARY = ".tmp-"
_PAGE = 4096
"""Bytes: what any file takes of a disk."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also where others write it at the same time."""
    _replace(path, content, path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}"))


def deliver(path: Path, content: bytes) -> None:
    """Write a file that a person named, whole or not at all. Raises UnavailableError.

    A link keeps leading to its target, which keeps its permissions; a pipe or device is written to as it is.
    """
    with _said_of(path):
        if is_stdout(path):
            with open(1, "wb", closefd=False) as stream:  # the descriptor has a place in its file
                stream.write(content)
        elif path.exists() and not path.is_file():
            with path.open("wb") as stream:
                stream.write(content)
        else:
            target = _target(path)
            _replace(target, content, target.with_name(TEMPORARY + secrets.token_hex(4)))


def expect_delivery(path: Path) -> None:
    """Refuse before long work what `deliver` would refuse after it: a full disk, missing rights, no folder.

    Raises UnavailableError.
    """
    with _said_of(path):
        if not path.exists() or path.is_file():
            expect_room(_target(path).parent)


def expect_room(folder: Path) -> None:
    """Write and remove a page in a folder. Raises OSError where that can't be."""
    page = folder / (TEMPORARY + secrets.token_hex(4))
    try:
        page.write_bytes(b"\0" * _PAGE)
    finally:
        page.unlink(missing_ok=True)


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "no file can have this name"
        raise UnavailableError(f"{path} can't be written ({reason})") from None


def _target(path: Path) -> Path:
    """Where a link leads; PermissionError where what is there may not be written."""
    target = path.resolve()
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return target


def is_stdout(path: Path) -> bool:
    """Whether a path such as `/dev/stdout` names what this process prints to."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except (OSError, ValueError):
        return False


def _replace(path: Path, content: bytes, temporary: Path) -> None:
    """Leaves no temporary behind that could not be written whole, such as on a full disk."""
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.is_file():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        publish(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def publish(temporary: Path, path: Path) -> None:
    """Give a complete file or folder its real name; its content must have been synced."""
    temporary.rename(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's content, or a folder's list of names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """`sync` a folder and everything in it."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def remove_temporaries(folder: Path) -> None:
    """Remove what killed jobs left half-written in a folder."""
    for path in list(folder.rglob(TEMPORARY + "*")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
