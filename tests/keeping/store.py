"""A real S3 server of this machine (moto's), which can refuse, break off, keep silent or trickle."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain, repeat
from threading import Event
from typing import Any

import pyarrow.fs as arrow_fs
import pytest

from csp.world.places import remote
from tests import patience


class Store:
    """The server, which takes so many files more and then does what it is told."""

    def __init__(self, app: Any) -> None:
        self._app, self.takes, self.puts, self.fault = app, 10**6, 0, ""
        self._over = Event()
        self.stumbles: Counter[tuple[str, str]] | None = None
        """Where set, what is asked is not done at first (once, three times what is written): by turns the
        server is too busy, or breaks off."""
        self.before_a_write: Callable[[str], None] = lambda _: None
        """Called with the path of each file that is to be written."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if asked[0] == "PUT":
            self.before_a_write(asked[1])
        if self.stumbles is not None and self.stumbles[asked] < (3 if asked[0] == "PUT" else 1):
            self.stumbles[asked] += 1
            if self.stumbles.total() % 2:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            start_response("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        if environ["REQUEST_METHOD"] in ("PUT", "POST") and "/runs/" in environ["PATH_INFO"]:
            self.puts += 1
            if self.puts > self.takes:
                if self.fault != "refuses":
                    self._keep_waiting(environ["werkzeug.socket"])
                    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)  # in the middle of the file
                start_response("403 Forbidden", [("Content-Length", "0")])
                return [b""]
        return self._app(environ, start_response)

    def _keep_waiting(self, asks: socket.socket) -> None:
        """Say nothing, or a little again and again, for as long as the fault lasts."""
        answer = chain(b"HTTP/1.1 200 OK\r\nX: ", repeat(ord("x")))
        while self.fault in ("is silent", "trickles") and not self._over.wait(0.05):
            if self.fault == "trickles":
                asks.send(bytes([next(answer)]))

    @contextmanager
    def ending(self, after: int, fault: str) -> Iterator[None]:
        """With a fault after so many files."""
        self.takes, self.puts, self.fault = after, 0, fault
        self._over.clear()
        try:
            yield
        finally:
            self.takes = 10**6
            self._over.set()

    def grow_old(self, address: str) -> None:
        """As if a file had been written an hour earlier."""
        from moto.s3.models import s3_backends

        bucket, _, name = address.removeprefix("s3://").partition("/")
        s3_backends["123456789012"]["aws"].buckets[bucket].keys[name].last_modified -= timedelta(hours=1)


@contextmanager
def serving_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With the empty bucket lab, where `s3://` leads."""
    moto = pytest.importorskip("moto.server")
    for name, value in {"ANSWER": patience.SECONDS, "PAUSE": 0.01}.items():
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
    place = arrow_fs.S3FileSystem(
        scheme="http", endpoint_override=f"{host}:{port}", region="us-east-1", allow_bucket_creation=True
    )
    place.create_dir("lab")
    place.delete_dir_contents("lab")
    try:
        yield store
    finally:
        server.stop()
        remote.s3_system.cache_clear()
