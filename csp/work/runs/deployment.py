"""What a server needs of the place where it runs, and where it listens (docs/deploy.md)."""

import ipaddress
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from csp.errors import UnavailableError
from csp.keeping.faults import told
from csp.keeping.home import home

ADDRESS, PORT, PREFIX = "CSP_ADDRESS", "CSP_PORT", "CSP_PREFIX"
"""Environment variables: where the app listens, and the folder below which a proxy offers it."""
OPEN_TO_ALL = (
    "at {address} other machines may come in, and nobody is asked to sign in: whoever reaches it may judge "
    "and delete; docs/teams.md says how people sign in"
)
SECONDS = 5
"""So long a server that is well takes to answer at most."""


def examine_deployment(*, asks_sign_in: bool) -> dict[str, Any]:
    """Where the app would listen, what of the place can't work (`problems`), what is unwise (`notes`)."""
    address = _address()
    return {
        "address": address,
        "port": _port(),
        "prefix": os.environ.get(PREFIX, ""),
        "problems": [
            f"{folder} can't be written ({why}): give the server a folder of its own"
            for folder in (home(), Path(tempfile.gettempdir()))
            if (why := _why_not_written(folder))
        ],
        "notes": [
            *([OPEN_TO_ALL.format(address=address)] if not (asks_sign_in or is_local(address)) else []),
            *(["it runs as root: give it a user of its own"] if _is_root() else []),
        ],
    }


def ask_server() -> str:
    """The address at which the server of this machine answered. Raises UnavailableError if none does."""
    host = "127.0.0.1" if _address() in ("0.0.0.0", "::") else _address()  # noqa: S104 # asked at its own
    host = f"[{host}]" if ":" in host else host
    folder = f"/{os.environ.get(PREFIX, '').strip('/')}".rstrip("/")
    address = f"http://{host}:{_port()}{folder}"
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=SECONDS) as answer:  # noqa: S310 # http
            well = answer.read(16) == b"ok"
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UnavailableError(
            f"no server answers at {address} ({why}); where it listens is asked of {ADDRESS}, {PORT} and "
            f"{PREFIX}: for another port {PORT}=8600 csp doctor --server"
        ) from error
    if not well:
        raise UnavailableError(f"what answers at {address} is not this app")
    return address


def is_local(address: str) -> bool:
    """Whether only this machine reaches what listens at an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _address() -> str:
    return os.environ.get(ADDRESS, "") or "127.0.0.1"


def _port() -> str:
    return os.environ.get(PORT, "") or "8501"


def _why_not_written(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        return error.strerror or told(error)
    return ""


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
