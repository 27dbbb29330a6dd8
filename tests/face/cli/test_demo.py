import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from csp.face.cli.app import run
from tests import patience
from tests.ports import free_port


def test_demo_serves_the_app_on_a_new_machine(tmp_path: Path) -> None:
    """In an empty home nothing is asked on the terminal first; an empty PATH holds no browser to open."""
    port = free_port()
    app = subprocess.Popen(
        [sys.executable, "-m", "csp", "demo", "--port", str(port)],
        env=os.environ | {"HOME": str(tmp_path), "PATH": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert answer(f"http://localhost:{port}/_stcore/health", app) == b"ok"
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait()


def answer(address: str, app: subprocess.Popen[bytes]) -> bytes:
    """What the app answers, once it does."""
    for _ in range(10 * patience.SECONDS):
        assert app.poll() is None, f"the app stopped with code {app.returncode}"
        try:
            with urllib.request.urlopen(address) as page:
                content: bytes = page.read()
                return content
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("the app never answers")


def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["demo", "--port", str(port)]) == 2
    assert f"port {port} can't be used" in capsys.readouterr().err


def test_behind_a_proxy_the_app_lives_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    app = subprocess.Popen(
        [sys.executable, "-m", "csp", "demo", "--no-browser"],
        env=os.environ | {"HOME": str(tmp_path), "CSP_PORT": str(port), "CSP_PREFIX": "/tools/csp/"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    here = f"http://localhost:{port}/tools/csp"
    try:
        assert answer(f"{here}/_stcore/health", app) == b"ok"
        document = answer(f"{here}/neuron?run=demo", app)
        assert document == answer(here, app) != b""
        script = re.search(rb'src="\./(static/js/index[^"]+)"', document)
        assert script
        assert answer(f"{here}/{script[1].decode()}", app)
        monkeypatch.setenv("CSP_PORT", str(port))
        monkeypatch.setenv("CSP_PREFIX", "/tools/csp/")
        assert run(["doctor", "--server"]) == 0
        assert f"127.0.0.1:{port}/tools/csp" in capsys.readouterr().out
        monkeypatch.setenv("CSP_PREFIX", "elsewhere")
        assert run(["doctor", "--server"]) == 2
        said = capsys.readouterr().err
        assert "no server answers" in said and "CSP_PORT=" in said, "and how to name another port"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://localhost:{port}/neuron")
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--prefix", "a b", "can't stand in an address"),
        ("--prefix", "../csp", "can't stand in an address"),
        ("--prefix", "a//b", "can't stand in an address"),
        ("--address", "192.0.2.1", "is no address of this machine"),
        ("--address", "no such\x00host", "is no address of this machine"),
        ("--address", "", "is no address of this machine"),
    ],
)
def test_an_address_that_can_not_be_is_said(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", option, value, "--port", str(free_port())]) == 2
    assert said in capsys.readouterr().err
