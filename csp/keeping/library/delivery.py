"""Sends a run to a server: whole, or not to be opened there.

The manifest, without which nothing opens, goes last. Until then `CLAIM_NAME` says whose files these are: a
stopped delivery of the same run goes on, one of another run is refused.
"""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from csp.errors import BadInputError, BadRunError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping.library.find import address_name
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord, read_manifest

CLAIM_NAME = "sending.txt"
_AT_ONCE = 4


def expect_receiver(address: str, run: Path) -> None:
    """Refuse before long work what `deliver_run` would refuse after it, as far as it can be told by then.

    `run` is where the run will be made, or lies already. Raises as `deliver_run`.
    """
    with optional():
        from csp.world.places.remote import lengths, send

    address_name(address)
    there = lengths(address)
    if (run / MANIFEST_NAME).is_file():
        _expect_same(address, there, _digest(run))
    elif MANIFEST_NAME in there:
        raise BadInputError(f"there is a run at {address} already: choose another address")
    else:
        _expect_same(address, there, "")
        send(b"", f"{address}/{CLAIM_NAME}")


def deliver_run(run: Path, address: str, told: Callable[[int, int], None]) -> None:
    """Send what is not there yet of a run and of what was added to it; tells how many files of all are there.

    Raises
    ------
    BadInputError
        Another run, or anything else, lies at the address, or it can't be written to.
    BadRunError
        A file here is not as the manifest lists it.
    NotFoundError, UnavailableError
        There is no such bucket, or the server does not take the files: what it took is kept.
    """
    with optional():
        from csp.world.places.remote import lengths, remove, send

    address_name(address)
    digest, there = _digest(run), lengths(address)
    _expect_same(address, there, digest)
    whole = MANIFEST_NAME in there
    if not whole:
        send(digest.encode(), f"{address}/{CLAIM_NAME}")
        _expect_claim(address, digest)
    files = _files(run)
    missing = _not_there(files, there)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        sent = pool.map(lambda name: _send_one(run, name, files[name], address), missing)
        for done, _ in enumerate(sent, len(files) - len(missing) + 1):
            told(done, len(files))
    finally:
        pool.shutdown(cancel_futures=True)
    if whole:
        return
    _expect_claim(address, digest)
    if cut := _not_there(files, lengths(address)):
        raise UnavailableError(
            f"{address}/{cut[0]} did not arrive whole: repeat the command, it goes on there"
        )
    send((run / MANIFEST_NAME).read_bytes(), f"{address}/{MANIFEST_NAME}")
    with suppress(NotFoundError):  # somebody else sent the same run at the same time
        remove(f"{address}/{CLAIM_NAME}")


def _digest(run: Path) -> str:
    return hashlib.sha256((run / MANIFEST_NAME).read_bytes()).hexdigest()


def _files(run: Path) -> dict[str, FileRecord]:
    """Every file to send but the manifest, what was added to the run included."""
    added = sorted((run / "additions").glob("*/[!.]*.parquet"))
    return dict(read_manifest(run).files) | {
        part.relative_to(run).as_posix(): record_file(part) for part in added
    }


def _not_there(files: Mapping[str, FileRecord], there: Mapping[str, int]) -> list[str]:
    """Under one claim all files of a name are the same, so that their length tells whether one is whole."""
    return [name for name, recorded in files.items() if there.get(name) != recorded.bytes]


def _send_one(run: Path, name: str, recorded: FileRecord, address: str) -> None:
    with optional():
        from csp.world.places.remote import send

    if record_file(run / name) != recorded:
        raise BadRunError(f"{run / name} was changed after the run was made: make the run anew")
    send(run / name, f"{address}/{name}")


def _expect_same(address: str, there: dict[str, int], digest: str) -> None:
    """BadInputError where something else than (a part of) this run lies at the address."""
    with optional():
        from csp.world.places.remote import fetch

    if MANIFEST_NAME in there:
        if _digest_at(address) != digest:
            raise BadInputError(f"there is another run at {address}: choose another address")
    elif CLAIM_NAME in there:
        claim = fetch(f"{address}/{CLAIM_NAME}").decode(errors="replace")
        if claim not in ("", digest):
            raise BadInputError(_taken(address))
    elif there:
        raise BadInputError(f"{address} holds files but no run: choose another address")


def _expect_claim(address: str, digest: str) -> None:
    """BadInputError where somebody else began to send a run to the same address at the same moment."""
    with optional():
        from csp.world.places.remote import fetch

    try:
        claim = fetch(f"{address}/{CLAIM_NAME}")
    except NotFoundError:  # the same run was sent by somebody else meanwhile, whole
        claim = digest.encode() if _digest_at(address) == digest else b""
    if claim != digest.encode():
        raise BadInputError(_taken(address))


def _digest_at(address: str) -> str:
    """That of the manifest at an address; "" without one."""
    with optional():
        from csp.world.places.remote import fetch

    try:
        return hashlib.sha256(fetch(f"{address}/{MANIFEST_NAME}")).hexdigest()
    except NotFoundError:
        return ""


def _taken(address: str) -> str:
    return (
        f"another run is being sent to {address}, or was sent by half: choose another address, or end that "
        "where it began"
    )
