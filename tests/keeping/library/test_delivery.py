"""Sending a run to a real S3 server (moto's) that refuses, breaks off or is slow: whole, or not there."""

import fnmatch
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.library import delivery
from csp.keeping.library.delivery import CLAIMS, Renewal, deliver_run, expect_receiver, withdraw
from csp.keeping.library.find import find_run
from csp.keeping.run_folder import arrays
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.manifest import read_manifest, write_manifest
from csp.keeping.run_folder.run import Run
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.progress import Progress
from csp.world.places import remote
from tests import patience
from tests.keeping.store import Store, serving_store

PLACE = "s3://lab/runs/sent"
NEW = Path("not made yet")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With the bucket lab."""
    with serving_store(monkeypatch) as store:
        yield store


def sent(run: Path) -> list[int]:
    """Send it; how many files were there after each."""
    done: list[int] = []
    deliver_run(run, PLACE, lambda number, _: done.append(number))
    return done


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("breaks off", r"The server of s3://lab/runs/sent/.+ could not be reached: .+ is kept"),
        ("is silent", r"The server of s3://lab/runs/sent/.+ did not answer in time: .+ is kept"),
        ("trickles", r"The server of s3://lab/runs/sent/.+ did not answer in time: .+ is kept"),
    ],
)
def test_a_delivery_that_stops_opens_nowhere_and_goes_on(
    store: Store, built_run: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, fault: str, sentence: str
) -> None:
    expect_receiver(PLACE, built_run)

    def begins(number: int, _: int) -> None:
        """Once ten files are there; those that are on their way already, with more patience, arrive."""
        if number == 10:
            store.takes = store.puts + 16
            if fault != "breaks off":
                impatient.setattr(remote, "WHOLE", 0.5)

    with (
        monkeypatch.context() as impatient,
        store.ending(10**6, fault),
        pytest.raises(UnavailableError, match=sentence),
    ):
        deliver_run(built_run, PLACE, begins)
    for left_to_itself in (thread for thread in threading.enumerate() if thread.name == "server"):
        left_to_itself.join()  # its file may still arrive
    some = len(remote.lengths(PLACE))
    assert some >= 10
    with pytest.raises(NotFoundError, match="there is no run at s3://lab/runs/sent"):
        find_run(PLACE)
    done = sent(built_run)
    assert done[0] == some and done[-1] == len(remote.lengths(PLACE)) - 1, "what is there is not sent again"
    assert not fnmatch.filter(remote.lengths(PLACE), CLAIMS)
    here, there = Run.open(built_run), Run.open(find_run(PLACE))
    assert there.mirror is not None
    there.mirror.bring(there.manifest.files)
    assert there.check() == [] and there.fingerprint == here.fingerprint
    assert Additions(there).state() == Additions(here).state() != ()
    assert sent(built_run) == [], "sent again, it is harmless"


def test_a_server_that_fails_now_and_then_is_asked_again(
    store: Store, built_run: Path, own_home: Path
) -> None:
    """Everything that is asked fails once, and the writing of each file three times."""
    store.stumbles = Counter()
    assert expect_receiver(PLACE, built_run)
    assert sent(built_run)[0] == 1
    assert {method for method, _ in store.stumbles} >= {"GET", "PUT", "DELETE"}
    store.stumbles = None
    assert Run.open(find_run(PLACE)).fingerprint == Run.open(built_run).fingerprint
    assert not fnmatch.filter(remote.lengths(PLACE), CLAIMS)


def test_a_second_run_at_the_same_address_is_refused(
    store: Store, built_run: Path, own_home: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(built_run, tmp_path / "other")
    write_manifest(other, read_manifest(other).model_copy(update={"notes": ("another",)}))
    refused_there = pytest.raises(
        UnavailableError, match=r"The server refuses s3://lab/runs/sent/.+: check the"
    )
    with store.ending(30, "refuses"), refused_there:
        sent(other)
    for refused in (
        lambda: sent(built_run),
        *(partial(expect_receiver, PLACE, at) for at in (built_run, NEW)),
    ):
        with pytest.raises(
            BadInputError, match="another run is being made for or sent to s3://lab/runs/sent, or was until"
        ):
            refused()
    sent(other)
    with pytest.raises(BadInputError, match="there is another run at s3://lab/runs/sent: choose another"):
        sent(built_run)
    with pytest.raises(BadInputError, match="there is a run at s3://lab/runs/sent already"):
        expect_receiver(PLACE, NEW)
    remote.send(b"mine", "s3://lab/mine/notes.txt")
    with pytest.raises(BadInputError, match="s3://lab/mine holds files but no run"):
        deliver_run(built_run, "s3://lab/mine", lambda *_: None)
    with pytest.raises(NotFoundError, match=r"nothing at s3://nobucket/runs/sent"):
        expect_receiver("s3://nobucket/runs/sent", NEW)
    with pytest.raises(BadInputError, match="on the web, which nothing can be written to"):
        expect_receiver("https://127.0.0.1/runs/sent", NEW)


def test_of_two_that_begin_at_one_moment_one_goes_on(
    store: Store, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins between any two requests of the first."""

    def begins(run: str) -> bool:
        try:
            return expect_receiver(place, tmp_path / run)
        except BadInputError as refusal:
            assert str(refusal).startswith("another run is being made for or sent to s3://lab/runs/")
            return False

    def interrupted(ask: Any, *given: Any) -> Any:
        requests.append(ask)
        if len(requests) == moment:
            second.append(begins("second"))
        return ask(*given)

    for name in ("lengths", "send", "fetch"):
        monkeypatch.setattr(remote, name, partial(interrupted, getattr(remote, name)))
    went_on = []
    for moment in range(1, 5):
        requests: list[Any] = []
        second: list[bool] = []
        place = f"s3://lab/runs/{moment}"
        went_on.append((begins("first"), *second))
    assert went_on == [(False, True), (False, True), (True, False), (True, False)]
    withdraw(place, tmp_path / "first")
    assert begins("second")


def test_what_a_lost_machine_left_makes_room(
    store: Store, built_run: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shutil.copytree(built_run, tmp_path / "other")
    write_manifest(other, read_manifest(other).model_copy(update={"notes": ("another",)}))
    shutil.copytree(next((other / "additions").iterdir()), other / "additions/its-own")
    with monkeypatch.context() as lost:
        lost.setattr("platform.node", lambda: "lost")
        assert expect_receiver(PLACE, NEW)
    with pytest.raises(
        BadInputError, match=r"try again later \(what has stopped makes room after 5 minutes\)"
    ):
        expect_receiver(PLACE, NEW)
    store.grow_old(claim_there())
    with pytest.raises(UnavailableError, match="lost"):
        deliver_run(other, PLACE, lost_at_the_end)
    assert any("its-own" in name for name in remote.lengths(PLACE))
    store.grow_old(claim_there())
    assert expect_receiver(PLACE, built_run)
    assert sent(built_run)[0] == 1, "a file of as many bytes may be of the other run"
    assert not any("its-own" in name for name in remote.lengths(PLACE))
    assert not fnmatch.filter(remote.lengths(PLACE), CLAIMS)
    with pytest.raises(BadInputError, match="there is another run at s3://lab/runs/sent"):
        sent(other)


class Clock:
    """What time it is on machines that can sleep."""

    def __init__(self) -> None:
        self.slept = 0.0

    def time(self) -> float:
        return time.time() + self.slept


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(delivery, "time", clock)
    return clock


def another(run: Path, folder: Path) -> Path:
    """A run whose files are called as those of the first, and as long, and hold something else."""
    other = shutil.copytree(run, folder)
    embeddings = Run.open(run).embeddings
    arrays.write_array(other, arrays.EMBEDDINGS, embeddings[::-1])
    before, found = read_manifest(other), file_records(other)
    files = {name: record for name, record in found.items() if not name.startswith("additions")}
    write_manifest(other, before.model_copy(update={"files": files, "notes": ("another",)}))
    return other


@pytest.mark.parametrize("moment", ["between two files", "while one is sent", "while the manifest is sent"])
def test_who_slept_while_another_took_over_writes_nothing_more(
    store: Store,
    built_run: Path,
    own_home: Path,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    other, slept, before = another(built_run, tmp_path / "other"), list[str](), threading.enumerate()
    monkeypatch.setattr(delivery, "_AT_ONCE", 1)

    def sleeps(when: str) -> None:
        if when != moment or slept:
            return
        slept.append(when)
        clock.slept += delivery.COUNTS_FOR + 1
        if when == "between two files":  # the next one may be on its way
            until(lambda: all(one.name != "server" or one in before for one in threading.enumerate()))
        store.grow_old(claim_there())
        sent(other)

    def before_a_write(path: str) -> None:
        """What is on its way breaks off, for it is tried again."""
        sending = {"while one is sent": "embeddings/c/", "while the manifest is sent": "manifest.json"}
        if moment in sending and sending[moment] in path and not slept:
            sleeps(moment)
            store.stumbles = Counter()

    def told(done: int, _: int) -> None:
        if done == 10:
            sleeps("between two files")

    store.before_a_write = before_a_write
    with pytest.raises(
        UnavailableError, match=r"could not be held for this run, .*or another took the place"
    ):
        deliver_run(built_run, PLACE, told)
    assert slept
    there = Run.open(find_run(PLACE))
    assert there.mirror is not None
    there.mirror.bring(there.manifest.files)
    assert there.check() == [] and there.fingerprint == Run.open(other).fingerprint
    with pytest.raises(BadInputError, match="there is another run at s3://lab/runs/sent"):
        sent(built_run)


def test_a_claim_that_counts_no_more_is_not_renewed(
    store: Store, own_home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, fetch = list[str](), remote.fetch
    monkeypatch.setattr(remote, "fetch", lambda address: (asked.append(address), fetch(address))[1])
    monkeypatch.setattr(delivery, "RENEWED_EVERY", 0.01)
    assert expect_receiver(PLACE, NEW)
    late = Renewal(PLACE, NEW)
    clock.slept += delivery.COUNTS_FOR + 1
    store.grow_old(claim_there())
    late.thread.start()
    until(lambda: len(asked) > 1)
    late.end()
    assert remote.age(claim_there()) > delivery.COUNTS_FOR
    with pytest.raises(UnavailableError, match="could not be held for this run"):
        late.expect_held()
    removed = Renewal(PLACE, NEW)
    removed.expect_held()
    remote.remove(claim_there())
    removed.thread.start()
    removed.thread.join()
    assert not remote.lengths(PLACE), "who removed it is there now"
    with pytest.raises(UnavailableError, match="could not be held for this run"):
        removed.expect_held()


def test_who_comes_back_while_the_place_is_cleared_is_refused(
    store: Store, built_run: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that was still being made when the machine fell asleep."""
    other, refused = another(built_run, tmp_path / "other"), list[str]()
    assert expect_receiver(PLACE, built_run)
    store.grow_old(claim_there())
    removing = remote.remove

    def removes(address: str) -> None:
        if not refused and fnmatch.fnmatch(address, f"*{CLAIMS}"):
            with pytest.raises(BadInputError, match="another run is being made for or sent to") as said:
                sent(built_run)
            refused.append(str(said.value))
        removing(address)

    monkeypatch.setattr(remote, "remove", removes)
    sent(other)
    assert refused
    there = Run.open(find_run(PLACE))
    assert there.mirror is not None
    there.mirror.bring(there.manifest.files)
    assert there.check() == [] and there.fingerprint == Run.open(other).fingerprint


def claim_there() -> str:
    """The address of the one claim."""
    (claim,) = fnmatch.filter(remote.lengths(PLACE), CLAIMS)
    return f"{PLACE}/{claim}"


def lost_at_the_end(done: int, total: int) -> None:
    """When all but the manifest is there."""
    if done == total:
        raise UnavailableError("lost")


def test_a_run_is_made_for_an_address(
    store: Store, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.random((20, 3), np.float32))
    np.save(tmp_path / "e.npy", rng.normal(size=(20, 4)).astype(np.float32))
    spec = ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", PLACE)
    with pytest.raises(NotFoundError):
        import_arrays(replace(spec, embeddings=tmp_path / "none.npy"))
    assert not remote.lengths(PLACE), "what could not be made keeps nobody away"
    with store.ending(4, "refuses"), pytest.raises(UnavailableError):
        import_arrays(spec)
    with monkeypatch.context() as asleep:
        asleep.setattr(delivery, "COUNTS_FOR", -1.0)
        with pytest.raises(
            UnavailableError, match=r"sent could not be held for this run, as this machine sto"
        ):
            import_arrays(spec)
    folder = import_arrays(spec)
    assert folder.name == "sent" and Run.open(folder).check() == []
    assert Run.open(find_run(PLACE)).fingerprint == Run.open(folder).fingerprint


def test_a_claim_is_renewed_while_a_run_is_made_and_sent(
    store: Store, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", np.eye(20, 3, dtype=np.float32))
    np.save(tmp_path / "e.npy", np.eye(20, 4, dtype=np.float32) + 1)
    renewed = set()

    def waiting(progress: Progress) -> None:
        if progress.stage not in renewed:
            renewed.add(progress.stage)
            store.grow_old(claim_there())
            until(lambda: remote.age(claim_there()) < delivery.COUNTS_FOR)

    monkeypatch.setattr(delivery, "RENEWED_EVERY", 0.01)
    import_arrays(ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", PLACE), waiting)
    assert {"images", "files sent"} <= renewed
    assert not fnmatch.filter(remote.lengths(PLACE), CLAIMS)


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + patience.SECONDS
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)
