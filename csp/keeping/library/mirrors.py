"""Opening runs on servers: their manifest and additions are fetched, the rest when it is needed."""

import hashlib
import logging
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from csp.errors import BadInputError, BadRunError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping import atomic
from csp.keeping.run_folder.manifest import MANIFEST_NAME, read_manifest
from csp.keeping.run_folder.mirror import mirrors_folder, read_record, write_record

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
    except OSError as error:
        raise UnavailableError(
            f"{place} can't be written ({error.strerror}): make room or allow writing, then try again"
        ) from None
    return place


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
        if path.exists():
            continue
        content = fetch(f"{added}/{part}")
        if hashlib.sha256(content).hexdigest() not in part:
            raise BadRunError(f"{added}/{part} is damaged: copy the run to the server again")
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, content)
