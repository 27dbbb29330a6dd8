"""Zip and tar archives: their files are read where they lie, and nothing is unpacked beside them.

A compressed tar has no places to read from: it is unpacked once, into a temporary file without a name.
"""

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from threading import Lock
from typing import IO, Any
from weakref import finalize

from csp.errors import BadInputError, UnavailableError
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.place import MOST_BYTES, Place, hidden

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MOST_TIMES = 50
"""How many times its size a compressed tar of pictures may grow: more is no picture, but a trap."""
SLACK = 2**28
"""Bytes that it may grow to in any case."""
_PIECE = 2**20
_COMPRESSED: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\0", lzma.open),
)
_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)


def open_archive(file: IO[bytes], name: str, shown: str) -> Place:
    """The archive in a file that can be read anywhere in it; `shown` is how sentences call it.

    It is closed with the place. Raises `BadInputError` for what is none, is cut off or needs a password.
    """
    try:
        place = _opened(file, name, shown)
    except BaseException:
        file.close()
        raise
    finalize(place, file.close)
    return place


def _opened(file: IO[bytes], name: str, shown: str) -> Place:
    head = file.read(512)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipArchive(file, name, shown)
    compressed = next((opened for sign, opened in _COMPRESSED if head.startswith(sign)), None)
    if compressed is not None:
        plain = _unpacked(file, compressed, shown)
        file.close()
        return open_archive(plain, name, shown)
    if head[257:262] == b"ustar":
        return TarArchive(file, name, shown)
    raise BadInputError(f"{shown} is no archive that can be read here: give a zip or tar file")


def cut_off(shown: str) -> BadInputError:
    """The one sentence on an archive that is not whole."""
    return BadInputError(f"{shown} is damaged or cut off: copy or download it again")


class ZipArchive(Place):
    """A zip file."""

    def __init__(self, file: IO[bytes], name: str, shown: str) -> None:
        self._name, self._shown = name, shown
        try:
            self._zip = zipfile.ZipFile(file)
            infos = {
                _plain(info.filename.replace("\\", "/")): info
                for info in self._zip.infolist()
                if not info.is_dir()
            }
            self._infos = {path: info for path, info in infos.items() if not hidden(path)}
        except _FAULTS:
            raise cut_off(shown) from None
        if any(info.flag_bits & 1 for info in self._infos.values()):
            raise BadInputError(f"{shown} is protected by a password: unpack it, or save it without one")

    @property
    def name(self) -> str:
        """The file's name."""
        return self._name

    def files(self) -> Iterable[str]:
        """In the archive's order."""
        return self._infos

    def is_file(self, path: str) -> bool:
        """Whether it holds a file of this name."""
        return path in self._infos

    def read(self, path: str) -> bytes:
        """Unpack one file; `zipfile` locks the archive while it reads."""
        info = self._infos.get(path)
        if info is None:
            raise UnreadableImageError("There is no such file in the archive.")
        if info.file_size > MOST_BYTES:
            raise UnreadableImageError(f"The file has more than {MOST_BYTES:,} bytes.")
        try:
            with self._zip.open(info) as file:
                data = file.read(info.file_size + 1)
        except _FAULTS as error:
            raise UnreadableImageError("The file is damaged in the archive.") from error
        return data


class TarArchive(Place):
    """A tar file without compression: where each file lies is found once."""

    def __init__(self, file: IO[bytes], name: str, shown: str) -> None:
        self._file, self._lock = file, Lock()
        self._name, self._shown = name, shown
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._places: dict[str, tuple[int, int]] = {}
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined] # else it keeps them all
                    if member.isreg() and member.offset_data + member.size > size:
                        raise cut_off(shown)
                    path = _plain(member.name)
                    if member.isreg() and not hidden(path):
                        self._places[path] = (member.offset_data, member.size)
                file.seek(tar.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0") or file.tell() > size or file.tell() == tar.offset:
                raise cut_off(shown)  # a whole one ends with a block of zeros
        except _FAULTS:
            raise cut_off(shown) from None

    @property
    def name(self) -> str:
        """The file's name."""
        return self._name

    def files(self) -> Iterable[str]:
        """In the archive's order."""
        return self._places

    def is_file(self, path: str) -> bool:
        """Whether it holds a file of this name."""
        return path in self._places

    def read(self, path: str) -> bytes:
        """One file."""
        if path not in self._places:
            raise UnreadableImageError("There is no such file in the archive.")
        start, length = self._places[path]
        if length > MOST_BYTES:
            raise UnreadableImageError(f"The file has more than {MOST_BYTES:,} bytes.")
        try:
            with self._lock:
                self._file.seek(start)
                data = self._file.read(length)
        except OSError as error:
            raise UnavailableError(
                f"{self._shown} can't be read any more ({error.strerror or error})"
            ) from None
        if len(data) < length:
            raise UnavailableError(f"{self._shown} became shorter while it was read: copy it again")
        return data


def _plain(name: str) -> str:
    """A name without what says nothing: `/` at its head (whole paths), `.` and empty parts."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _unpacked(file: IO[bytes], opened: Any, shown: str) -> IO[bytes]:
    """A compressed tar as a temporary file, which goes when it is closed."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    most = max(MOST_TIMES * size, SLACK)
    plain: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 # as long as the archive is read
    try:
        if shutil.disk_usage(tempfile.gettempdir()).free < size:
            raise OSError(28, "there is no room for temporary files")
        with opened(file) as packed:
            while piece := packed.read(_PIECE):
                plain.write(piece)
                if plain.tell() > most:
                    raise BadInputError(
                        f"{shown} unpacks to more than {MOST_TIMES} times its size: no pictures do"
                    )
    except BadInputError:
        plain.close()
        raise
    except OSError as error:
        plain.close()
        if error.errno is None or isinstance(error, gzip.BadGzipFile):
            raise cut_off(shown) from None
        raise UnavailableError(f"{shown} can't be unpacked ({error.strerror or error})") from None
    except _FAULTS:
        plain.close()
        raise cut_off(shown) from None
    plain.seek(0)
    return plain
