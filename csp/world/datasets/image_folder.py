"""A probe dataset from a folder of images: flat, or one folder per class, perhaps inside one per split."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath

import pandas as pd

from csp.errors import BadInputError
from csp.world.datasets.image_kinds import PICTURES_OF_OTHER_KINDS, is_image_name, kind_of
from csp.world.datasets.patients import without_patients
from csp.world.datasets.places import folder_of, root_of
from csp.world.places.place import Place
from csp.world.protocols.dataset import Dataset

MOST_KINDS = 6
SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))


def open_dataset(name: str) -> Dataset:
    """List the images under a folder, sorted by path; files of other kinds are counted, hidden ones are not.

    The label is the first folder below the root; where every folder there is named like a split (`train`,
    `val`, `test`), that folder is the split and the next one the label. Deeper folders only hold images.
    """
    place = folder_of(name, "image folder")
    table, notes = listed_images(place, f"The folder '{name}'")
    return without_patients(Dataset(f"folder:{name}", root_of(place, name), table, notes, place))


def listed_images(place: Place, shown: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The images of a place as the table of a dataset, and notes; `shown` is how sentences call it."""
    paths, passed, unnamed = list[str](), Counter[str](), 0
    for path in place.files():
        if not _is_text(path):
            unnamed += 1
        elif is_image_name(path):
            paths.append(path)
        else:
            passed[kind_of(path)] += 1
    paths.sort()
    notes = (_passed_over(passed),) if passed else ()
    if unnamed:
        notes = (*notes, f"{unnamed:,} files were passed over whose names are no text in UTF-8: rename them")
    if not paths:
        also = f"; {notes[0]}" if notes else ""
        raise BadInputError(f"{shown} has no image files (such as .jpg, .png, .tif){also}.")
    return table_of(paths), notes


def table_of(paths: Sequence[str], below: int = 0) -> pd.DataFrame:
    """The table of images by their paths, of which the first `below` folders say nothing."""
    parts_of = cache(lambda folder: PurePosixPath(folder).parts[below:])
    folders = [parts_of(path.rpartition("/")[0]) for path in paths]
    split = all(parts and parts[0].lower() in SPLITS for parts in folders)
    labels = pd.Series([next(iter(parts[split:]), None) for parts in folders], dtype=object)
    splits = [parts[0] if split else "" for parts in folders]
    return pd.DataFrame({"path": list(paths), "label": labels, "split": splits})


def _is_text(name: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in name)


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
