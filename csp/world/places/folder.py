"""A folder of this machine."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from csp.files import open_regular
from csp.world.pictures.decode import Picture, UnreadableImageError, read_picture
from csp.world.places.place import UNREADABLE, Place


class LocalFolder(Place):
    """The files below a folder; a name may also be an absolute path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.name

    @property
    def prefix(self) -> str:
        """The folder's path."""
        return self.root.as_posix()

    def files(self) -> Iterator[str]:
        """Walk the folder and the folders that it links to, each real folder once (links may form rings)."""
        seen: set[str] = set()
        for folder, inner, files in os.walk(self.root, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                inner.clear()
                continue
            seen.add(real)
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            below = Path(folder).relative_to(self.root).as_posix()
            before = "" if below == "." else f"{below}/"
            yield from (before + name for name in files if not name.startswith("."))

    def is_file(self, path: str) -> bool:
        """Also for names that no file can have."""
        try:
            return (self.root / path).is_file()
        except (OSError, ValueError):  # a name that is too long, or holds NUL
            return False

    def read(self, path: str) -> bytes:
        """The content of a regular file."""
        try:
            with open_regular(self.root / path) as file:
                return file.read()
        except OSError as error:
            raise UnreadableImageError(f"The file can't be opened ({error.strerror or error}).") from error

    def head(self, path: str, count: int) -> bytes:
        """Read from the file itself."""
        try:
            with open_regular(self.root / path) as file:
                return file.read(count)
        except OSError:
            return b""

    def picture(self, path: str) -> Picture:
        """Read from the file itself: of large ones only a part is needed."""
        return read_picture(self.root / path)

    def digest(self, path: str) -> bytes:
        """SHA-256 of the content, which need not fit in memory."""
        try:
            with open_regular(self.root / path) as file:
                return hashlib.file_digest(file, "sha256").digest()
        except OSError:
            return UNREADABLE
