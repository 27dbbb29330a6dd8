"""Files under names that say nothing of whom they show: those of DICOM files are often names and numbers of
patients, and so are the folders they lie in.

A pseudonym is made of the file's content, which nobody can guess, so it leads back to no name and stays the
same wherever the file lies.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from csp.world.pictures.decode import Picture, decode_frame, decode_picture
from csp.world.places.place import UNREADABLE, Place

LETTERS = 16
"""Hexadecimal digits of SHA-256: two of a million files are alike with a chance of 1 in 37 million."""


@dataclass(frozen=True)
class Hidden:
    """What a pseudonym stands for: a file, and of a DICOM file one frame, or the first with a remark."""

    path: str
    frame: int | None = None


class Pseudonyms(Place):
    """The files of a place, some of them under other names."""

    def __init__(self, place: Place, hidden: Mapping[str, Hidden]) -> None:
        """`hidden`: by pseudonym what it stands for; all other names are those of the place."""
        self._place, self._hidden = place, dict(hidden)

    @property
    def name(self) -> str:
        """The place's name."""
        return self._place.name

    def files(self) -> Iterator[str]:
        """Pseudonyms first, then all that have none."""
        yield from self._hidden
        meant = {one.path for one in self._hidden.values()}
        yield from (path for path in self._place.files() if path not in meant)

    def is_file(self, path: str) -> bool:
        """Under whichever name."""
        return path in self._hidden or self._place.is_file(path)

    def read(self, path: str) -> bytes:
        """One file."""
        known = self._hidden.get(path)
        return self._place.read(path if known is None else known.path)

    def picture(self, path: str) -> Picture:
        """Of a file with a pseudonym only the content is looked at: no sentence can name it."""
        known = self._hidden.get(path)
        if known is None:
            return self._place.picture(path)
        data = self._place.read(known.path)
        return decode_picture(data) if known.frame is None else decode_frame(data, known.frame)

    def digest(self, path: str) -> bytes:
        """That of the file."""
        known = self._hidden.get(path)
        return self._place.digest(path if known is None else known.path)


def pseudonyms(place: Place, paths: Iterable[str]) -> dict[str, str]:
    """By path the pseudonym of each file; files of the same content are numbered, so are those not there."""
    given: dict[str, str] = {}
    counts: dict[str, int] = {}
    for path in paths:
        content = place.digest(path)
        stem = "missing" if content == UNREADABLE else content.hex()[:LETTERS]
        counts[stem] = counts.get(stem, 0) + 1
        given[path] = f"{stem}{'' if counts[stem] == 1 else f'-{counts[stem]}'}.dcm"
    return given
