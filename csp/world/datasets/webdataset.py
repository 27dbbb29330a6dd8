"""A probe dataset from WebDataset shards: tar files in which the files of one sample share their name.

As in the library of that name, a sample's key is its path up to the first dot of the file's name, and what
follows says what a file holds: a picture, its class (`.cls`), a text (`.txt`) or attributes (`.json`).
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csp.counts import counted
from csp.errors import BadInputError
from csp.numerals import whole
from csp.world.datasets.csv_table import LABEL_NAMES, SPLIT_NAMES
from csp.world.datasets.image_kinds import is_image_name
from csp.world.datasets.patients import without_patients
from csp.world.datasets.places import file_of
from csp.world.datasets.shards import files_of
from csp.world.datasets.values import Records
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.addresses import is_address
from csp.world.places.archive import open_archive
from csp.world.places.many import ManyPlaces
from csp.world.places.place import Place
from csp.world.protocols.dataset import Dataset

CLASS_LISTS = ("classes.txt", "classnames.txt", "class_names.txt")
"""Files beside the shards that name the classes which `.cls` counts, one a line."""
MOST_META = 2**24
"""Bytes of one `.cls`, `.txt` or `.json`."""
_NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"
_SAMPLE = re.compile(r"((?:.*/|)[^./][^/.]*)\.([^/]*)")


@dataclass
class _Sample:
    picture: str = ""
    parts: dict[str, str] = field(default_factory=dict)


def open_dataset(name: str) -> Dataset:
    """Read the shards' heads: pictures are left where they lie.

    Raises `NotFoundError` without a shard, `BadInputError` for one that is cut off, or without pictures.
    """
    files = files_of(name, "WebDataset shard")
    place = ManyPlaces([_opened(file) for file in files], _short(name))
    samples, notes = _samples(place, name)
    classes = _class_names(files[0])
    records = Records(LABEL_NAMES, SPLIT_NAMES)
    unread = unnamed = 0
    for sample in samples:
        said, readable = _said(place, sample)
        label, is_text = _class(place, sample, classes)
        unread += not readable
        unnamed += not is_text
        records.add(sample.picture, label, said)
    if unnamed:
        notes.append(f"the .cls of {counted(unnamed, 'sample')} holds no text, so no class is known from it")
    if unread:
        notes.append(f"the .json of {counted(unread, 'sample')} can't be read, so what it says is not known")
    found = (*notes, *records.notes())
    return without_patients(Dataset(f"webdataset:{name}", Path(name), records.table(), found, place))


def _opened(file: str) -> Place:
    shown = f"The shard '{file}'"
    return open_archive(file_of(file, "WebDataset shard"), _short(file), shown)


def _short(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _samples(place: ManyPlaces, name: str) -> tuple[list[_Sample], list[str]]:
    samples: dict[str, _Sample] = {}
    more = 0
    for path in place.files():
        matched = _SAMPLE.fullmatch(path)
        if matched is None:
            continue
        sample = samples.setdefault(matched[1], _Sample())
        kind = matched[2].lower()
        if is_image_name(f"x.{kind}"):
            more += bool(sample.picture)
            sample.picture = sample.picture or path
        else:
            sample.parts.setdefault(kind, path)
    whole = [sample for sample in samples.values() if sample.picture]
    if not whole:
        raise BadInputError(f"The WebDataset '{name}' has no sample with a picture (such as .jpg or .png).")
    notes = []
    if without := len(samples) - len(whole):
        notes.append(f"{counted(without, 'sample')} without a picture passed over")
    if more:
        pictures = counted(more, "further picture")
        notes.append(f"{pictures} of a sample left out: the first of each was taken")
    return whole, notes


def _class(place: Place, sample: _Sample, classes: tuple[str, ...]) -> tuple[str | None, bool]:
    """What `.cls` says, by name where a list of classes lies beside the shards, and whether it is text."""
    text = _text(place, sample.parts.get("cls")).strip()
    if not text.isprintable() or _NO_CHARACTER in text:
        return None, False
    if not text:
        return None, True
    number = whole(text)
    return classes[number] if number is not None and number < len(classes) else text, True


def _said(place: Place, sample: _Sample) -> tuple[dict[str, Any], bool]:
    """What `.txt` and `.json` say, and whether they could be read."""
    text = _text(place, sample.parts.get("txt")).strip()
    found: dict[str, Any] = {"text": text} if text else {}
    given = _text(place, sample.parts.get("json"))
    if not given:
        return found, True
    try:
        said = json.loads(given)
    except (ValueError, RecursionError):
        return found, False
    return {**found, **(said if isinstance(said, dict) else {"json": said})}, True


def _text(place: Place, path: str | None) -> str:
    if path is None:
        return ""
    try:
        return place.read(path)[:MOST_META].decode("utf-8", "replace")
    except UnreadableImageError:
        return ""


def _class_names(shard: str) -> tuple[str, ...]:
    if is_address(shard):
        return ()
    for name in CLASS_LISTS:
        file = Path(shard).parent / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            return tuple(line.strip() for line in lines)
    return ()
