"""A real identity provider and the app behind it, as processes on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.face.server import serving, wait_until_up
from tests.ports import free_port

SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret that only this test uses"
client_id = "csp-explorer"
client_secret = "anything"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
client_kwargs = {{ prompt = "login" }}
"""
PEOPLE = (
    {"sub": "ann", "email": "ann@clinic.org", "email_verified": True, "roles": ["reviewer"]},
    {"sub": "vi", "email": "vi@clinic.org", "email_verified": True, "roles": ["viewer"]},
    {"sub": "eve", "email": "eve@elsewhere.org", "email_verified": True},
)
TEAM = """
sign_in = "oidc"
role_claim = "roles"
default_role = "none"
"""


@contextmanager
def provider() -> Iterator[int]:
    """An OpenID provider that knows `PEOPLE`; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for person in PEOPLE:
        command += ["--user-claims", json.dumps(person)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env={**os.environ, "NO_COLOR": "1"}, **quiet) as process:
        try:
            wait_until_up(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process)
            yield port
        finally:
            process.terminate()


@contextmanager
def team_server(home: Path) -> Iterator[str]:
    """The app with a sign-in; gives its address."""
    with provider() as known:
        port = free_port()
        (home / "secrets.toml").write_text(SECRETS.format(port=port, provider=known))
        (home / "team.toml").write_text(TEAM)
        with serving(home, port, "--secrets.files", json.dumps([str(home / "secrets.toml")])) as served:
            yield served.address
