"""Runs on a server, mirrored: each file comes to this machine when it is first needed, and then stays.

A mirror is the run folder `CSP_HOME/mirrors/ADDRESS/MANIFEST/NAME/`, its first parts digests of what they are
called after: a run that is made anew at the same address gets another mirror, so that two are never mixed.
"""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from weakref import finalize

from csp.errors import BadRunError, CspError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping import atomic
from csp.keeping.home import home
from csp.keeping.lock import acquire, held, release
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord

RECORD_NAME = "run.json"
"""Beside the mirrors of one address: the address, and which mirror is the newest."""
_AT_ONCE = 4
_HOLDS = ".open"
"""Beside a mirror: a locked folder for each run that has it open."""


def mirrors_folder() -> Path:
    """Where the mirrors lie."""
    return home() / "mirrors"


class Hold:
    """That somebody has a mirror open: a locked folder of their own, so that a killed process holds none."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir()
        finalize(self, _let_go, folder, acquire(folder), os.getpid())


def _let_go(folder: Path, descriptor: int, process: int) -> None:
    if os.getpid() == process:  # not a child that inherited it
        rmtree(folder, ignore_errors=True)
    release(descriptor)


@dataclass(frozen=True)
class Mirror:
    """A mirror in the folder `path` of the run at `address`."""

    path: Path
    address: str

    def bring(self, files: Mapping[str, FileRecord]) -> bool:
        """Fetch those of the files that are not here, or of another length than recorded.

        Returns whether one was here, damaged: what was read of it has to be read again.

        Raises
        ------
        BadRunError
            The run at the server was changed since it was opened here, or a file there is not as recorded.
        UnavailableError
            The server does not give a file, or it can't be written here.
        """
        lengths = {name: self._length(name) for name in files}
        wanted = {name: found for name, found in files.items() if lengths[name] != found.bytes}
        self._fetch_all(wanted)
        return any(lengths[name] is not None for name in wanted)

    def mend(self, files: Mapping[str, FileRecord]) -> bool:
        """Fetch those again that are here with another content than recorded: whether there are any.

        Raises as `bring`.
        """
        here = {name: found for name, found in files.items() if self._length(name) is not None}
        damaged = {name: found for name, found in here.items() if record_file(self.path / name) != found}
        self._fetch_all(damaged)
        return bool(damaged)

    def hold(self) -> "Hold | None":
        """Keep the mirror from being deleted; None where nothing can be written, and so nothing deleted."""
        try:
            return Hold(self.path.parent / _HOLDS / secrets.token_hex(8))
        except OSError:
            return None

    @property
    def is_held(self) -> bool:
        """Whether a living process has it open."""
        return any(held(folder) for folder in (self.path.parent / _HOLDS).glob("*"))

    def fetched(self, files: Iterable[str]) -> list[str]:
        """Those of the files that are here."""
        return [name for name in files if self._length(name) is not None]

    def server_problem(self) -> str | None:
        """Why the server gives nothing more of this run, in a sentence; None where it does."""
        try:
            return None if self._is_there_still() else str(self._changed())
        except CspError as error:
            return str(error)

    def _length(self, name: str) -> int | None:
        """Of a file of the mirror; None for one that is not here."""
        try:
            return (self.path / name).stat().st_size
        except (OSError, ValueError):
            return None

    def _fetch_all(self, files: Mapping[str, FileRecord]) -> None:
        if not files:
            return
        pool = ThreadPoolExecutor(min(_AT_ONCE, len(files)))
        try:
            for _ in pool.map(self._fetch, *zip(*files.items(), strict=True)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch(self, name: str, recorded: FileRecord) -> None:
        damaged = self._length(name) is not None
        try:
            self._fetch_one(name, recorded)
        except UnavailableError as error:
            if not damaged:
                raise
            raise UnavailableError(
                f"{self.path / name} was damaged and can't be fetched again: {error}"
            ) from None

    def _fetch_one(self, name: str, recorded: FileRecord) -> None:
        with optional():
            from csp.world.pictures.decode import UnreadableImageError
            from csp.world.places.remote import fetch_into

        target = self.path / name
        temporary = target.with_name(f"{atomic.TEMPORARY}{secrets.token_hex(4)}-{target.name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            fetch_into(f"{self.address}/{name}", temporary, recorded.bytes)
            if record_file(temporary) != recorded:
                raise self._another(name)
            atomic.sync(temporary)
            atomic.publish(temporary, target)
        except (NotFoundError, UnreadableImageError):  # not there, or longer than recorded
            raise self._another(name) from None
        except OSError as error:
            raise UnavailableError(
                f"{target} can't be written ({error.strerror}): make room or allow writing, then try again"
            ) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _another(self, name: str) -> BadRunError:
        """What to say of a file that is not the one that the manifest lists."""
        try:
            same = self._is_there_still()
        except NotFoundError:
            same = False
        if not same:
            return self._changed()
        return BadRunError(
            f"{self.address}/{name} is missing or not the file that its run lists: copy the run to the "
            "server again"
        )

    def _is_there_still(self) -> bool:
        """Whether the run at the server is the one that was opened here.

        Raises NotFoundError where there is none any more, UnavailableError where the server does not say.
        """
        with optional():
            from csp.world.places.remote import fetch

        return fetch(f"{self.address}/{MANIFEST_NAME}") == (self.path / MANIFEST_NAME).read_bytes()

    def _changed(self) -> BadRunError:
        return BadRunError(f"the run {self.address} was changed while it was open: open its address again")


def mirror_in(path: Path) -> Mirror | None:
    """The mirror that a run folder is; None for every other."""
    path = path.absolute()
    if len(path.parents) < 3 or path.parents[2] != mirrors_folder():
        return None
    address, _ = read_record(path.parents[1]) or ("", "")
    return Mirror(path, address) if address else None


def read_record(folder: Path) -> tuple[str, str] | None:
    """The address and the newest mirror (its folder below this one) of `mirrors/ADDRESS/`; None without."""
    try:
        said = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        return str(said["address"]), str(said["newest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(folder: Path, address: str, newest: str) -> None:
    """Write what `read_record` reads."""
    atomic.write_bytes(folder / RECORD_NAME, json.dumps({"address": address, "newest": newest}).encode())
