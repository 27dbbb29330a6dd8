"""The app as a process of its own, on a free loopback port."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import patience
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    pid: int


@contextmanager
def serving(
    home: Path, port: int | None = None, *options: str, app: Path = ROOT / "app.py"
) -> Iterator[Served]:
    """The app with this CSP_HOME; stopped at the end."""
    port = port or free_port()
    command = [
        sys.executable,
        "-m",
        "csp.face.screen.page.server",
        str(app),
        "--server.port",
        str(port),
        *options,
    ]
    environment = {**os.environ, "CSP_HOME": str(home)}
    with (home / "server.log").open("a") as log:
        server = subprocess.Popen(command, cwd=app.parent, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield Served(f"http://127.0.0.1:{port}", server.pid)
        finally:
            server.terminate()
            try:
                server.wait(patience.SECONDS)
            finally:
                server.kill()


def wait_until_up(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(10 * patience.SECONDS):
        assert process.poll() is None, "the server stopped"
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
