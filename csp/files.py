"""Files that people name: read only where they are regular files.

A device, a pipe or a socket never ends, or waits for ever. What is wrong with a path is an OSError with a
reason in words (`strerror`).
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from csp.errors import BadInputError, NotFoundError

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: Path | str) -> BufferedReader:
    """Open a regular file for reading, without waiting on anything that is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # NUL, or half a surrogate pair
        raise OSError(errno.EINVAL, "no file can have this name", _shown(path)) from error
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it {_instead_of(stat.S_IFREG, kind)}", _shown(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path | str, most: int | None = None) -> bytes:
    """The content of a regular file. Raises OSError, also where it has more than `most` bytes."""
    with open_regular(path) as file:
        if most is not None and os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", _shown(path))
        return file.read()


def is_regular(path: Path | str) -> bool:
    """Whether there is a regular file of this name; also for names that no file can have."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder of this name; also for names that no folder can have."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def require_file(path: Path | str, named: str) -> None:
    """Raise NotFoundError where nothing of this name is there, BadInputError where it is no regular file.

    `named` begins the sentence, such as "The CSV file 'a.csv'".
    """
    _require(stat.S_IFREG, path, named)


def require_folder(path: Path | str, named: str) -> None:
    """Raise NotFoundError where nothing of this name is there, BadInputError where it is no folder."""
    _require(stat.S_IFDIR, path, named)


def _require(wanted: int, path: Path | str, named: str) -> None:
    try:
        kind = stat.S_IFMT(Path(path).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{named} does not exist.") from None
    except ValueError:  # NUL, or half a surrogate pair
        raise BadInputError(f"{named} can't be read (no file can have this name).") from None
    except OSError as error:
        raise BadInputError(f"{named} can't be read ({error.strerror or error}).") from None
    if kind != wanted:
        raise BadInputError(f"{named} {_instead_of(wanted, kind)}.")


def _instead_of(wanted: int, kind: int) -> str:
    return f"is {_KINDS.get(kind, 'something else')}, not {_KINDS[wanted]}"


def link_out(folder: Path) -> Path | None:
    """A link in a folder, however deep, that leads out of it; None where there is none."""
    inside = folder.resolve()
    for place, folders, files in os.walk(folder):
        for path in (Path(place) / name for name in (*folders, *files)):
            if path.is_symlink() and not _target(path).is_relative_to(inside):
                return path
    return None


def special_file(folder: Path) -> Path | None:
    """A pipe, device or socket in a folder, however deep; None where all are files, folders and links."""
    for place, _, files in os.walk(folder):
        for path in (Path(place) / name for name in files):
            kind = stat.S_IFMT(path.lstat().st_mode)
            if kind not in (stat.S_IFREG, stat.S_IFLNK):
                return path
    return None


def _target(link: Path) -> Path:
    """Where a link leads; of one that leads round in a circle, itself: it leads nowhere."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        return link.parent.resolve() / link.name


def expanded(path: Path | str) -> Path:
    """The path with `~` written out. Raises BadInputError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        user = str(path).partition("/")[0]
        raise BadInputError(f"there is no user {user.removeprefix('~')!r}, which {path} names") from None


def _shown(path: Path | str) -> str:
    return str(path).replace("\0", "\\0")
