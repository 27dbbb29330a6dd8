"""Sending a run to a real S3 server (moto's) that refuses or breaks off: whole, or not there."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.fs as arrow_fs
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.library.delivery import CLAIM_NAME, deliver_run, expect_receiver
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.manifest import read_manifest, write_manifest
from csp.keeping.run_folder.run import Run
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.world.places import remote

PLACE = "s3://lab/runs/sent"
NEW = Path("not made yet")


class Store:
    """The server, which takes so many files more and then does what it is told."""

    def __init__(self, app: Any) -> None:
        self._app, self.takes, self.puts, self.fault = app, 10**6, 0, ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] in ("PUT", "POST") and "/runs/" in environ["PATH_INFO"]:
            self.puts += 1
            if self.puts > self.takes:
                if self.fault == "refuses":
                    start_response("403 Forbidden", [("Content-Length", "0")])
                    return [b""]
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)  # in the middle of the file
        return self._app(environ, start_response)

    @contextmanager
    def ending(self, after: int, fault: str) -> Iterator[None]:
        """With a fault after so many files."""
        self.takes, self.puts, self.fault = after, 0, fault
        yield
        self.takes = 10**6


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With the bucket lab."""
    moto = pytest.importorskip("moto.server")
    for name, value in {"ANSWER": 1.0, "PAUSE": 0.01}.items():
        monkeypatch.setattr(remote, name, value)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    store = Store(server._server.app)
    server._server.app = store
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    remote.s3_system.cache_clear()
    arrow_fs.S3FileSystem(
        scheme="http", endpoint_override=f"{host}:{port}", region="us-east-1", allow_bucket_creation=True
    ).create_dir("lab")
    place = arrow_fs.S3FileSystem(scheme="http", endpoint_override=f"{host}:{port}", region="us-east-1")
    place.delete_dir_contents("lab")
    yield store
    server.stop()
    remote.s3_system.cache_clear()


def sent(run: Path) -> list[int]:
    """Send it; how many files were there after each."""
    done: list[int] = []
    deliver_run(run, PLACE, lambda number, _: done.append(number))
    return done


@pytest.mark.parametrize("fault", ["refuses", "breaks off"])
def test_a_delivery_that_stops_opens_nowhere_and_goes_on(
    store: Store, built_run: Path, own_home: Path, fault: str
) -> None:
    expect_receiver(PLACE, NEW)
    with (
        store.ending(30, fault),
        pytest.raises(UnavailableError, match=r"The server (refuses|of) s3://lab/runs/sent/"),
    ):
        sent(built_run)
    some = len(remote.lengths(PLACE))
    assert some > 1
    with pytest.raises(NotFoundError, match="there is no run at s3://lab/runs/sent"):
        find_run(PLACE)
    done = sent(built_run)
    assert done[0] == some and done[-1] == len(remote.lengths(PLACE)) - 1, "what is there is not sent again"
    assert CLAIM_NAME not in remote.lengths(PLACE)
    here, there = Run.open(built_run), Run.open(find_run(PLACE))
    assert there.mirror is not None
    there.mirror.bring(there.manifest.files)
    assert there.check() == [] and there.fingerprint == here.fingerprint
    assert Additions(there).state() == Additions(here).state() != ()
    assert sent(built_run) == [], "sent again, it is harmless"


def test_a_second_run_at_the_same_address_is_refused(
    store: Store, built_run: Path, own_home: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(built_run, tmp_path / "other")
    write_manifest(other, read_manifest(other).model_copy(update={"notes": ("another",)}))
    with store.ending(30, "refuses"), pytest.raises(UnavailableError):
        sent(other)
    for refused in (
        lambda: sent(built_run),
        *(partial(expect_receiver, PLACE, at) for at in (built_run, NEW)),
    ):
        with pytest.raises(
            BadInputError, match="another run is being sent to s3://lab/runs/sent, or was sent"
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


def test_a_run_is_made_for_an_address(store: Store, own_home: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.random((20, 3), np.float32))
    np.save(tmp_path / "e.npy", rng.normal(size=(20, 4)).astype(np.float32))
    spec = ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", PLACE)
    with store.ending(4, "refuses"), pytest.raises(UnavailableError):
        import_arrays(spec)
    folder = import_arrays(spec)
    assert folder.name == "sent" and Run.open(folder).check() == []
    assert Run.open(find_run(PLACE)).fingerprint == Run.open(folder).fingerprint
