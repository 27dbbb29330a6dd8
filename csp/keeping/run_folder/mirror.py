"""Runs on a server, mirrored: each file comes to this machine when it is first needed, and then stays.

A mirror is the run folder `CSP_HOME/mirrors/ADDRESS/MANIFEST/NAME/`, its first parts digests of what they are
called after: a run that is made anew at the same address gets another mirror, so that two are never mixed.
"""

import json
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from csp.errors import BadRunError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping import atomic
from csp.keeping.home import home
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord

RECORD_NAME = "run.json"
"""Beside the mirrors of one address: the address, and which mirror is the newest."""
_AT_ONCE = 4


def mirrors_folder() -> Path:
    """Where the mirrors lie."""
    return home() / "mirrors"


@dataclass(frozen=True)
class Mirror:
    """A mirror in the folder `path` of the run at `address`."""

    path: Path
    address: str

    def bring(self, files: Mapping[str, FileRecord]) -> None:
        """Fetch those of the files that are not here yet.

        Raises
        ------
        BadRunError
            The run at the server was changed since it was opened here, or a file there is not as recorded.
        UnavailableError
            The server does not give a file, or it can't be written here.
        """
        missing = {name: found for name, found in files.items() if not (self.path / name).exists()}
        if not missing:
            return
        pool = ThreadPoolExecutor(min(_AT_ONCE, len(missing)))
        try:
            for _ in pool.map(self._fetch, *zip(*missing.items(), strict=True)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch(self, name: str, recorded: FileRecord) -> None:
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
        with optional():
            from csp.world.places.remote import fetch

        try:
            same = fetch(f"{self.address}/{MANIFEST_NAME}") == (self.path / MANIFEST_NAME).read_bytes()
        except NotFoundError:
            same = False
        if same:
            return BadRunError(
                f"{self.address}/{name} is missing or not the file that its run lists: copy the run to the "
                "server again"
            )
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
