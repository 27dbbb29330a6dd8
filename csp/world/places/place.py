"""What every place offers that holds the images of a dataset: files by name, read from any thread."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable

from csp.world.pictures.decode import Picture, UnreadableImageError, decode_picture

MOST_BYTES = 2**30
"""Of one image file in an archive or on a server."""
UNREADABLE = b"unreadable"
"""The digest of a file that can't be read: it is listed as skipped when a run is made."""


class Place(ABC):
    """Files by their names, `/` between folders."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called on screen: the last part of its path."""

    @property
    def prefix(self) -> str:
        """What a whole path or address of a file in it begins with; "" where its files have none."""
        return ""

    @abstractmethod
    def files(self) -> Iterable[str]:
        """The names of all files in it, hidden ones left out."""

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """Whether there is a file of this name."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises `UnreadableImageError` where this one can't be read, `UnavailableError` where the place itself
        does not answer.
        """

    def head(self, path: str, count: int) -> bytes:
        """The first bytes of a file; none of one that can't be read."""
        try:
            return self.read(path)[:count]
        except UnreadableImageError:
            return b""

    def picture(self, path: str) -> Picture:
        """A file as a picture, with remarks. Raises as `read`."""
        return decode_picture(self.read(path))

    def digest(self, path: str) -> bytes:
        """SHA-256 of a file's content, or what else changes with it."""
        try:
            return hashlib.sha256(self.read(path)).digest()
        except UnreadableImageError:
            return UNREADABLE


def hidden(path: str) -> bool:
    """Whether a file or a folder above it is hidden, or is what macOS puts into archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))
