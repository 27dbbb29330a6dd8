"""A lock on a folder that dies with its process, so it can't go stale.

The system's own lock on an open file, by filelock: `flock`, or `LockFileEx` on Windows.
"""

import os
import time
from pathlib import Path
from threading import Lock

from filelock import lock_descriptor

from csp.errors import UnavailableError

LOCK_NAME = "lock"
SECONDS_TO_ACQUIRE = 0.2
SECONDS_TO_LOOK = 0.002
"""Whoever looks takes the lock for an instant, which is not to be mistaken for a holder."""

_LOOKING = Lock()
_AFTER_LOCKED_BYTE = 1
"""Where the holder writes its number: Windows lets nobody else read the locked first byte."""


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
        os.lseek(descriptor, _AFTER_LOCKED_BYTE, os.SEEK_SET)
        if not _locked(descriptor, SECONDS_TO_ACQUIRE):
            holder = os.read(descriptor, 32).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise UnavailableError(
                f"another process ({holder}) is writing {folder}: wait for it or choose another --out"
            )
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
    with _LOOKING:
        try:
            return not _locked(descriptor, SECONDS_TO_LOOK)
        finally:
            os.close(descriptor)


def release(descriptor: int) -> None:
    """Give the lock back; a process that inherited the descriptor goes on holding it."""
    os.close(descriptor)


def _locked(descriptor: int, seconds: float) -> bool:
    """Take the lock, trying for so long; whether it worked."""
    deadline = time.monotonic() + seconds
    while not lock_descriptor(descriptor, blocking=False):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.001)
    return True


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one in the folder: its last holder may have deleted it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
