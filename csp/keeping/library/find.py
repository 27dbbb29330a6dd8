"""Where runs are, by name or path."""

import re
from pathlib import Path

from csp.errors import BadInputError, NotFoundError
from csp.keeping.home import SHIPPED_RUNS, runs_folder
from csp.keeping.library.mirrors import mirrored_runs, open_mirror
from csp.keeping.run_folder.manifest import MANIFEST_NAME
from csp.world.places.addresses import is_address, refuse_secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def list_runs() -> list[Path]:
    """The folders of all finished runs that have a name: those of `home()`, the shipped ones, mirrors."""
    found: dict[str, Path] = {}
    for folder in (runs_folder(), SHIPPED_RUNS):
        for manifest in sorted(folder.glob(f"*/{MANIFEST_NAME}")):
            if _NAME.fullmatch(manifest.parent.name) and not manifest.parent.name.endswith(".partial"):
                found.setdefault(manifest.parent.name, manifest.parent)
    for mirror in mirrored_runs():
        found.setdefault(mirror.name, mirror)
    return list(found.values())


def named_run(name: str) -> Path:
    """The folder of the run called `name`; a path is refused, so `name` may come from an address.

    Raises
    ------
    NotFoundError
        No run has this name; the message says which exist.
    """
    runs = {run.name: run for run in list_runs()}
    if name not in runs:
        known = ", ".join(runs) if runs else "none yet, make one with `csp index`"
        raise NotFoundError(f"no run is called {name!r} (runs: {known})")
    return runs[name]


def find_run(name_or_path: str) -> Path:
    """The folder of a run, given its path, its name, or its address on a server (then of its mirror).

    Raises
    ------
    NotFoundError
        There is neither such a folder nor such a name; the message says which names exist.
    BadInputError, BadRunError, UnavailableError
        What `open_mirror` says of an address.
    """
    if is_address(name_or_path):
        return _at_address(name_or_path.rstrip("/"))
    path = Path(name_or_path)
    is_path = path.name != name_or_path
    if (path / MANIFEST_NAME).is_file() or (is_path and path.is_dir()):
        return path.absolute()
    return named_run(name_or_path)


def _at_address(address: str) -> Path:
    return open_mirror(address, address_name(address), {run.name for run in list_runs()})


def address_name(address: str) -> str:
    """What a run at an address is called; BadInputError where no run can be there."""
    refuse_secrets(address)
    name = address.rpartition("/")[2]
    if not _NAME.fullmatch(name) or address.count("/") < 3:
        raise BadInputError(
            f"{address} can't be the address of a run: give one such as s3://bucket/runs/skin"
        )
    return name


def run_destination(name_or_path: str) -> Path:
    """Where a new run goes: a bare name into `runs_folder()`, anything else where it says.

    Raises
    ------
    BadInputError
        The last part can't be the name of a run.
    """
    path = Path(name_or_path)
    if not _NAME.fullmatch(path.name) or path.name.endswith(".partial") or ".." in path.parts:
        raise BadInputError(
            f"{name_or_path!r} can't be the name of a run: use letters, digits, '.', '_' and '-', "
            "starting with a letter or digit, not ending in '.partial'"
        )
    return runs_folder() / path.name if path.name == name_or_path else path.absolute()
