"""A probe dataset from a folder of images: flat, or one folder per class, perhaps inside one per split."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded
from csp.world.protocols.dataset import Dataset

# fmt: off
EXTENSIONS = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff",
    ".bmp", ".gif", ".jp2", ".j2k", ".avif", ".ppm", ".pgm", ".pbm",
))
# fmt: on
PICTURES_OF_OTHER_KINDS = frozenset(
    (
        ".heic",
        ".heif",
        ".dcm",
        ".dicom",
        ".jxl",
        ".psd",
        ".svg",
        ".nef",
        ".cr2",
        ".cr3",
        ".dng",
        ".arw",
        ".pdf",
    )
)
MOST_KINDS = 6
SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))


def open_dataset(name: str) -> Dataset:
    """List the images under a folder, sorted by path; files of other kinds are counted, hidden ones are not.

    The label is the first folder below the root; where every folder there is named like a split (`train`,
    `val`, `test`), that folder is the split and the next one the label. Deeper folders only hold images.
    """
    root = expanded(name).absolute()
    if not root.is_dir():
        kind = "is a file, not a folder" if root.exists() else "does not exist"
        raise NotFoundError(f"The image folder '{name}' {kind}.")
    found = list(_files(root))
    files = [path for path in found if _is_text(str(path.relative_to(root)))]
    paths = sorted(path.relative_to(root).as_posix() for path in files if _kind(path) in EXTENSIONS)
    passed = Counter(_kind(path) for path in files if _kind(path) not in EXTENSIONS)
    notes = (_passed_over(passed),) if passed else ()
    if unnamed := len(found) - len(files):
        notes = (*notes, f"{unnamed:,} files were passed over whose names are no text in UTF-8: rename them")
    if not paths:
        also = f"; {notes[0]}" if notes else ""
        raise BadInputError(f"The folder '{name}' has no image files (such as .jpg, .png, .tif){also}.")
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    split = all(parts and parts[0].lower() in SPLITS for parts in folders)
    rows = [(parts[0], parts[1:]) if split else ("", parts) for parts in folders]
    labels = pd.Series([parts[0] if parts else None for _, parts in rows], dtype=object)
    table = pd.DataFrame({"path": paths, "label": labels, "split": [part for part, _ in rows]})
    return Dataset(f"folder:{name}", root, table, notes)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in name)


def _kind(path: Path) -> str:
    return path.suffix.lower()


def _passed_over(kinds: Mapping[str, int]) -> str:
    """How many files were passed over, by kind, and what to do where they are pictures all the same."""
    count = sum(kinds.values())
    listed = sorted(kinds.items(), key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"{number:,} {kind or 'without ending'}" for kind, number in listed[:MOST_KINDS])
    more = f" and {len(listed) - MOST_KINDS} more kinds" if len(listed) > MOST_KINDS else ""
    pictures = [kind for kind, _ in listed if kind in PICTURES_OF_OTHER_KINDS]
    hint = f"; to use {' and '.join(pictures)}, save them as JPEG or PNG" if pictures else ""
    files = "1 file of another kind was" if count == 1 else f"{count:,} files of other kinds were"
    return f"{files} passed over ({named}{more}){hint}"


def _files(root: Path) -> Iterator[Path]:
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
            if not name.startswith("."):
                yield Path(folder, name)
