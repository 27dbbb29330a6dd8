"""A lock on a folder that dies with its process, so it can't go stale."""

import fcntl
import os
from pathlib import Path

from csp.errors import UnavailableError

LOCK_NAME = "lock"


def acquire(folder: Path) -> int:
    """Lock the folder for this process; returns what `release` needs.

    Raises
    ------
    UnavailableError
        A living process holds the lock; the message names it.
    """
    path = folder / LOCK_NAME
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise UnavailableError(
                f"another process ({holder}) is writing {folder}: wait for it or choose another --out"
            ) from None
        if _is_current(descriptor, path):
            break
        os.close(descriptor)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def held(folder: Path) -> bool:
    """Whether a living process holds the lock of the folder."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def release(descriptor: int) -> None:
    """Give the lock back."""
    os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one in the folder: its last holder may have deleted it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
