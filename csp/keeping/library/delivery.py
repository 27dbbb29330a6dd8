"""Sends a run to a server: whole, or not to be opened there.

The manifest, without which nothing opens, goes last. Until then a claim at the address says who sends which
run: a stopped delivery of the same run goes on, of two others the second is refused. A claim counts while it
is renewed; what stands under one that was not for `COUNTS_FOR` makes room for whoever comes next. So whoever
was away for longer neither renews it nor writes anything more: somebody else may be there by now.
"""

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from fnmatch import filter as matching
from pathlib import Path
from threading import Event, Thread

from csp.errors import BadInputError, BadRunError, CspError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.keeping.library.find import address_name
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord, read_manifest

CLAIMS = "sending-*.txt"
"""What claims are called: after the machine and the folder that a run is sent from; they hold a digest of its
manifest, nothing while it is being made."""
RENEWED_EVERY, COUNTS_FOR = 60.0, 300.0
"""Seconds: how often a claim is written anew while the work goes on, and how long it counts after that."""
SECONDS_TO_GO = 30.0
"""How long a last renewal that is on its way may hold up the end of the work: longer than a server may keep
silent, so that it does not arrive after the claim was removed."""
_AT_ONCE = 4


def expect_receiver(address: str, run: Path) -> bool:
    """Refuse before long work what `deliver_run` would refuse after it, as far as it can be told by then.

    `run` is where the run will be made, or lies already. Returns whether the address is claimed for it from
    now on, and was not before. Raises as `deliver_run`.
    """
    with optional():
        from csp.world.places.remote import lengths

    address_name(address)
    digest = _digest(run) if (run / MANIFEST_NAME).is_file() else ""
    there = lengths(address)
    if MANIFEST_NAME in there and not digest:
        raise BadInputError(f"there is a run at {address} already: choose another address")
    if _is_there(address, there, digest):
        return False
    _claim(address, there, run, digest)
    return _claim_name(run) not in there


def withdraw(address: str, run: Path) -> None:
    """Leave the address, where making the run failed, to whoever comes next."""
    with optional():
        from csp.world.places.remote import remove

    with suppress(CspError):
        remove(f"{address}/{_claim_name(run)}")


class Renewal:
    """A thread that renews a claim, and whether it could."""

    def __init__(self, address: str, run: Path) -> None:
        self._claim = f"{address}/{_claim_name(run)}"
        self._at = time.time()  # not monotonic, which stands still while a machine sleeps
        self._over, self._taken = Event(), False
        self.thread = Thread(target=self._renew, name="claim", daemon=True)

    def expect_held(self) -> None:
        """UnavailableError where the claim counts no more: this machine slept or had no connection, or
        somebody removed it."""
        if self._taken or time.time() - self._at > COUNTS_FOR:
            raise UnavailableError(
                f"{self._claim.rpartition('/')[0]} could not be held for this run, as this machine stood "
                f"still or had no connection for {COUNTS_FOR / 60:.0f} minutes, or another took the place: "
                "repeat the command"
            )

    def end(self) -> None:
        """Renew it no more."""
        self._over.set()
        self.thread.join(SECONDS_TO_GO)

    def _renew(self) -> None:
        with optional():
            from csp.world.places.remote import fetch, send

        while not self._over.wait(RENEWED_EVERY):
            at = time.time()
            try:
                send(fetch(self._claim), self._claim, allowed=self._expect_wanted)
                self._at = at
            except NotFoundError:  # where there is none, none is made
                self._taken = True
                return
            except CspError:  # the work itself says what is wrong with the server
                continue

    def _expect_wanted(self) -> None:
        self.expect_held()
        if self._over.is_set():
            raise UnavailableError("the work is over")


@contextmanager
def renewed(address: str, run: Path) -> Iterator[Renewal]:
    """Within this, the claim of a run to an address is renewed, if there is one."""
    renewal = Renewal(address, run)
    renewal.thread.start()
    try:
        yield renewal
    finally:
        renewal.end()


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
        from csp.world.places.remote import lengths, send

    address_name(address)
    digest, files, there = _digest(run), _files(run), lengths(address)
    whole = _is_there(address, there, digest)
    if not whole:
        there = _claim(address, there, run, digest)
    missing = _not_there(files, there)
    with nullcontext() if whole else renewed(address, run) as renewal:
        allowed = renewal.expect_held if renewal else lambda: None

        def send_one(name: str) -> None:
            _send_one(run, name, files[name], address, allowed)

        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            for done, _ in enumerate(pool.map(send_one, missing), len(files) - len(missing) + 1):
                told(done, len(files))
        finally:
            pool.shutdown(cancel_futures=True)
        if whole:
            return
        there = lengths(address)
        if not _is_there(address, there, digest):  # else somebody sent the same run meanwhile
            _expect_no_other(address, there, run, digest)
            if cut := _not_there(files, there):
                raise UnavailableError(
                    f"{address}/{cut[0]} did not arrive whole: repeat the command, it goes on there"
                )
            send((run / MANIFEST_NAME).read_bytes(), f"{address}/{MANIFEST_NAME}", allowed=allowed)
    _clear(address, dict.fromkeys(matching(there, CLAIMS), 0))


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


def _send_one(run: Path, name: str, recorded: FileRecord, address: str, allowed: Callable[[], None]) -> None:
    with optional():
        from csp.world.places.remote import send

    allowed()
    if record_file(run / name) != recorded:
        raise BadRunError(f"{run / name} was changed after the run was made: make the run anew")
    send(run / name, f"{address}/{name}", allowed=allowed)


def _is_there(address: str, there: Mapping[str, int], digest: str) -> bool:
    """Whether the run is there whole; BadInputError where another one is."""
    with optional():
        from csp.world.places.remote import fetch

    if MANIFEST_NAME not in there:
        return False
    if hashlib.sha256(fetch(f"{address}/{MANIFEST_NAME}")).hexdigest() != digest:
        raise BadInputError(f"there is another run at {address}: choose another address")
    return True


def _claim(address: str, there: Mapping[str, int], run: Path, digest: str) -> dict[str, int]:
    """Say at the address who sends which run there; gives what lies of this run there then.

    BadInputError where somebody else does. Each writes a claim and then looks for others: of two at one
    moment, one at least sees that of the other. What those left that are gone is removed after that, so that
    one who comes back meanwhile sees that the place is taken.
    """
    with optional():
        from csp.world.places.remote import lengths, remove, send

    _expect_no_other(address, there, run, digest)
    mine = _claim_name(run)
    send(digest.encode(), f"{address}/{mine}")
    try:
        now = lengths(address)
        if _expect_no_other(address, now, run, digest):
            del now[mine]
            _clear(address, now)
            _expect_no_other(address, lengths(address), run, digest)
            now = {}  # what is there all the same was on its way when it was cleared
    except BadInputError:
        if mine not in there:
            with suppress(NotFoundError):
                remove(f"{address}/{mine}")
        raise
    return now


def _expect_no_other(address: str, there: Mapping[str, int], run: Path, digest: str) -> bool:
    """BadInputError where anything else than a part of this run lies at the address.

    Whether there are claims of others, which no longer count.
    """
    with optional():
        from csp.world.places.remote import age, fetch

    mine, claims, dead = _claim_name(run), matching(there, CLAIMS), False
    if there and not claims:
        raise BadInputError(f"{address} holds files but no run: choose another address")
    for name in claims:
        try:
            claim = fetch(f"{address}/{name}").decode(errors="replace")
        except NotFoundError:  # withdrawn meanwhile
            continue
        if (claim or name) in (mine, digest):
            continue
        if age(f"{address}/{name}") <= COUNTS_FOR:
            raise BadInputError(
                f"another run is being made for or sent to {address}, or was until a moment ago: choose "
                "another address, or try again later "
                f"(what has stopped makes room after {COUNTS_FOR / 60:.0f} minutes)"
            )
        dead = True
    return dead


def _clear(address: str, there: Mapping[str, int]) -> None:
    """Remove what others left; the claims last, so that a clearing that stops is known for one."""
    with optional():
        from csp.world.places.remote import remove

    for name in sorted(there, key=lambda name: name in matching(there, CLAIMS)):
        with suppress(NotFoundError):
            remove(f"{address}/{name}")


def _claim_name(run: Path) -> str:
    place = f"{platform.node()} {run.absolute()}"
    return CLAIMS.replace("*", hashlib.sha256(place.encode()).hexdigest()[:16])
