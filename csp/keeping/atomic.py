"""Writing that survives a kill: temporary name, fsync, rename."""

import os
import shutil
from pathlib import Path

TEMPORARY = ".tmp-"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(TEMPORARY + path.name)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish(temporary, path)


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
