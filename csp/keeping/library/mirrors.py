"""Opening runs on servers: their manifest and additions are fetched, the rest when it is needed."""

import hashlib
import logging
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from csp.errors import BadInputError, BadRunError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping import atomic
from csp.keeping.run_folder.manifest import MANIFEST_NAME, read_manifest
from csp.keeping.run_folder.mirror import (
    RECORD_NAME,
    Mirror,
    mirror_in,
    mirrors_folder,
    read_record,
    write_record,
)

_log = logging.getLogger(__name__)
_PART = re.compile(r"[a-z0-9-]+/[0-9]+-(?P<digest>[0-9a-f]{64})\.parquet")
"""Of additions: named by what it holds."""


def mirrored_runs() -> Iterator[Path]:
    """The newest mirror of every address that was opened here."""
    for folder in sorted(mirrors_folder().glob("*")):
        if (record := read_record(folder)) and (folder / record[1] / MANIFEST_NAME).is_file():
            yield folder / record[1]


def open_mirror(address: str, name: str, taken: Collection[str]) -> Path:
    """The mirror of the run at `address`, made or brought up to date; the last one where no server answers.

    It is called `name`, and where that is `taken` a little more.

    Raises
    ------
    BadInputError
        The address holds secrets.
    NotFoundError, BadRunError, UnavailableError
        There is no run at the address, or none that can be read here, or the server does not give it.
    """
    with optional():
        from csp.world.places.remote import fetch

    key = hashlib.sha256(address.encode()).hexdigest()
    folder = mirrors_folder() / key[:16]
    before = read_record(folder)
    try:
        content = fetch(f"{address}/{MANIFEST_NAME}")
    except NotFoundError:
        raise NotFoundError(f"there is no run at {address}: it has no {MANIFEST_NAME} there") from None
    except UnavailableError as error:
        if before is None:
            raise
        _log.warning("%s Shown is the run as it was opened before.", error)
        return folder / before[1]
    own = Path(before[1]).name if before else f"{name}-{key[:4]}" if name in taken else name
    place = folder / hashlib.sha256(content).hexdigest()[:16] / own
    try:
        place.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(place / MANIFEST_NAME, content)
        _expect_a_run(place, address)
        _bring_additions(place, address)
        write_record(folder, address, str(place.relative_to(folder)))
        _free_older(folder, place)
    except OSError as error:
        raise UnavailableError(
            f"{place} can't be written ({error.strerror}): make room or allow writing, then try again"
        ) from None
    return place


def forget_mirror(run: Path) -> None:
    """Delete what was fetched of a run on a server; what was worked out, and reviews, lie elsewhere and stay.

    Raises
    ------
    BadInputError
        The folder is no mirror.
    UnavailableError
        Somebody has it open, or it can't be deleted.
    """
    mirror = mirror_in(run)
    if mirror is None:
        raise BadInputError(f"the run {run.name} does not lie on a server: only those can be forgotten")
    if mirror.is_held:
        raise UnavailableError(
            f"the run {run.name} is open, in the app or in a command: close it there, then forget it"
        )
    try:
        (run.parents[1] / RECORD_NAME).unlink(missing_ok=True)
        _free_older(run.parents[1], None)
    except OSError as error:
        raise UnavailableError(
            f"{run.parents[1]} can't be deleted ({error.strerror}): allow writing"
        ) from None


def _free_older(folder: Path, newest: Path | None) -> None:
    """Delete the mirrors of an address but the newest and those that somebody has open.

    A deleted one first loses its name: whoever opens it meanwhile finds it gone, never half.
    """
    for manifest in folder.glob("[!.]*/*/" + MANIFEST_NAME):
        place = manifest.parent
        if place != newest and not Mirror(place, "").is_held:
            place.parent.rename(folder / f"{atomic.TEMPORARY}{secrets.token_hex(4)}")
    for doomed in folder.glob(f"{atomic.TEMPORARY}*/"):
        shutil.rmtree(doomed, ignore_errors=True)
    if newest is None and not any(folder.glob("[!.]*")):
        shutil.rmtree(folder, ignore_errors=True)


def _expect_a_run(place: Path, address: str) -> None:
    try:
        read_manifest(place)
    except BadRunError as error:
        (place / MANIFEST_NAME).unlink()
        raise BadRunError(str(error).replace(str(place), address)) from None


def _bring_additions(place: Path, address: str) -> None:
    """The tables that were added to the run at the server, where it lists its files."""
    with optional():
        from csp.world.places.remote import RemoteFolder, fetch

    added = f"{address}/additions"
    try:
        parts = [part for part in RemoteFolder(added).files() if _PART.fullmatch(part)]
    except (NotFoundError, BadInputError):  # nothing was added, or the web, which lists nothing
        return
    for part in parts:
        path = place / "additions" / part
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() in part:
            continue
        content = fetch(f"{added}/{part}")
        if hashlib.sha256(content).hexdigest() not in part:
            raise BadRunError(f"{added}/{part} is damaged: copy the run to the server again")
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, content)
