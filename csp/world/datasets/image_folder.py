"""A probe dataset from a folder of images: flat, or one folder per class, perhaps inside one per split."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.dataset import Dataset

# fmt: off
EXTENSIONS = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff",
    ".bmp", ".gif", ".jp2", ".j2k", ".avif", ".ppm", ".pgm", ".pbm",
))
# fmt: on
SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))


def open_dataset(name: str) -> Dataset:
    """List the images under a folder, sorted by path. Hidden files and other extensions are passed over.

    The label is the first folder below the root; where every folder there is named like a split (`train`,
    `val`, `test`), that folder is the split and the next one the label. Deeper folders only hold images.
    """
    root = Path(name).expanduser().absolute()
    if not root.is_dir():
        kind = "is a file, not a folder" if root.exists() else "does not exist"
        raise NotFoundError(f"The image folder '{name}' {kind}.")
    paths = sorted(path.relative_to(root).as_posix() for path in _image_files(root))
    if not paths:
        raise BadInputError(f"The folder '{name}' has no image files (such as .jpg, .png, .tif).")
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    split = all(parts and parts[0].lower() in SPLITS for parts in folders)
    rows = [(parts[0], parts[1:]) if split else ("", parts) for parts in folders]
    labels = pd.Series([parts[0] if parts else None for _, parts in rows], dtype=object)
    table = pd.DataFrame({"path": paths, "label": labels, "split": [part for part, _ in rows]})
    return Dataset(f"folder:{name}", root, table)


def _image_files(root: Path) -> Iterator[Path]:
    """Walk the folder and the folders that it links to, each real folder once (links may form rings)."""
    seen: set[str] = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                yield Path(folder, name)
