"""What a server needs of the place where it runs, and where it listens (docs/deploy.md)."""

import ipaddress
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from csp.errors import CspError, UnavailableError
from csp.keeping.faults import told
from csp.keeping.home import home
from csp.work.reviews.people import LOCAL, read_team

ADDRESS, PORT, PREFIX = "CSP_ADDRESS", "CSP_PORT", "CSP_PREFIX"
"""Environment variables: where the app listens, and the folder below which a proxy offers it."""
SECONDS = 5
"""So long a server that is well takes to answer at most."""


def examine_deployment() -> dict[str, Any]:
    """Where the app would listen, what of the place can't work (`problems`), what is unwise (`notes`)."""
    address = os.environ.get(ADDRESS, "") or "127.0.0.1"
    return {
        "address": address,
        "port": os.environ.get(PORT, "") or "8501",
        "prefix": os.environ.get(PREFIX, ""),
        "problems": [
            f"{folder} can't be written ({why}): give the server a folder of its own"
            for folder in (home(), Path(tempfile.gettempdir()))
            if (why := _why_not_written(folder))
        ],
        "notes": [
            *([open_to_all(address)] if open_to_all(address) else []),
            *(["it runs as root: give it a user of its own"] if _is_root() else []),
        ],
    }


def open_to_all(address: str) -> str:
    """Says that a server at this address lets others in without a sign-in; "" if it does not."""
    try:
        asks = read_team().sign_in != "name"
    except CspError:  # with a mistake in the settings nobody gets in
        asks = True
    if asks or _is_local(address):
        return ""
    return (
        f"at {address} other machines may come in, and nobody is asked to sign in: whoever reaches it may "
        "judge and delete; docs/teams.md says how people sign in"
    )


def ask_server() -> str:
    """The address at which the server of this machine answered. Raises UnavailableError if none does."""
    place = examine_deployment()
    host = "127.0.0.1" if place["address"] in ("0.0.0.0", "::", "") else place["address"]  # noqa: S104 # replaced
    host = f"[{host}]" if ":" in host else host
    folder = f"/{place['prefix'].strip('/')}".rstrip("/")
    address = f"http://{host}:{place['port']}{folder}"
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=SECONDS) as answer:  # noqa: S310 # http
            well = answer.read(16) == b"ok"
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UnavailableError(f"no server answers at {address} ({why})") from error
    if not well:
        raise UnavailableError(f"what answers at {address} is not this app")
    return address


def _why_not_written(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        return error.strerror or told(error)
    return ""


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address in LOCAL


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
