"""Finds the files that the names in a table mean.

A name counts as it stands first. One that is not there may be written without its ending, in other case or
Unicode form, lie in folders below the table, or come with the folders of another machine: it is found where
just one file can be meant, and said to be ambiguous where several can.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath

from csp.world.datasets.image_kinds import EXTENSIONS, is_image_name
from csp.world.places.addresses import is_address
from csp.world.places.folder import LocalFolder
from csp.world.places.place import Place

MOST_FILES = 2_000_000
"""Files looked through below a table."""


@dataclass(frozen=True)
class FoundNames:
    """Where the images are, `/` between folders, relative to the table where they lie below it."""

    paths: tuple[str, ...]
    notes: tuple[str, ...]


class ImageFiles:
    """The image files in a place; they are listed only when a name is not there as it stands."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def any_there(self, names: Sequence[str]) -> bool:
        """Whether one of the names means a file."""
        plain = [_plain(name, self._place.prefix) for name in names if name]
        return any(self._place.is_file(path) for path in plain) or any(self._meant(path) for path in plain)

    def all_there(self, names: Sequence[str]) -> bool:
        """Whether each of the names, no two alike, means one file."""
        plain = [_plain(name, self._place.prefix) for name in names]
        alike = len(set(plain)) < len(plain)
        return not alike and all(self._place.is_file(path) or len(self._meant(path)) == 1 for path in plain)

    def find(self, names: Sequence[str]) -> FoundNames:
        """The path of each name; one that means no file stays as it is."""
        paths, found, unclear = [], [], []
        for name in names:
            path = _plain(name, self._place.prefix)
            meant = [] if self._place.is_file(path) else self._meant(path)
            if len(meant) == 1:
                found.append((name, meant[0]))
            elif meant:
                unclear.append((name, meant))
            paths.append(meant[0] if len(meant) == 1 else path)
        return FoundNames(tuple(paths), (*_found_note(found), *_unclear_note(unclear)))

    def _meant(self, path: str) -> list[str]:
        """Files that a name which is not there can mean, the nearest kind of likeness first."""
        elsewhere = path.startswith("/") or path[1:3] == ":/"  # folders of another machine
        tail = _key(_last(path) if elsewhere else path)
        whole, bare = self._by_ending
        has_ending = PurePosixPath(path).suffix.lower() in EXTENSIONS
        found = (whole if has_ending else bare).get(_last(tail), [])
        ending = [each for each in found if _ends_with(each if has_ending else _bare(each), tail)]
        same = [each for each in ending if _key(each if has_ending else _bare(each)) == tail]
        return sorted(same or ending)

    @cached_property
    def _by_ending(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Image files by their last name, with and without its ending."""
        whole: dict[str, list[str]] = {}
        bare: dict[str, list[str]] = {}
        for path in self._listed():
            whole.setdefault(_key(_last(path)), []).append(path)
            bare.setdefault(_key(_last(_bare(path))), []).append(path)
        return whole, bare

    def _listed(self) -> list[str]:
        """Image files in the place, and in the folder `images` beside a folder of this machine."""
        places = [("", self._place)]
        if isinstance(self._place, LocalFolder):
            beside = self._place.root.parent / "images"
            if beside != self._place.root and beside.is_dir():
                places.append(("../images/", LocalFolder(beside)))
        names = (before + name for before, place in places for name in place.files())
        return list(islice((name for name in names if is_image_name(name)), MOST_FILES))


def _plain(name: str, prefix: str) -> str:
    """Written with `/`, relative to the place where it lies in it, so that one image has one name."""
    path = name.replace("\\", "/")
    path = path.removeprefix(f"{prefix}/") if prefix else path
    return path if is_address(path) else str(PurePosixPath(path))


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _bare(path: str) -> str:
    return path.removesuffix(PurePosixPath(path).suffix)


def _ends_with(path: str, tail: str) -> bool:
    return f"/{_key(path)}".endswith(f"/{tail}")


def _found_note(found: Sequence[tuple[str, str]]) -> list[str]:
    if not found:
        return []
    name, path = found[0]
    count = "one image was" if len(found) == 1 else f"{len(found):,} images were"
    return [f"{count} found under a name somewhat unlike that of the table, such as {path} for {name}"]


def _unclear_note(unclear: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    if not unclear:
        return []
    name, paths = unclear[0]
    count = "one name" if len(unclear) == 1 else f"{len(unclear):,} names"
    return [f"{count} of the table can mean several files, such as {name}: {paths[0]} or {paths[1]}"]
