"""Paths inside specs such as `openclip:local-dir:models/clip`: made absolute, or relative to this program.

A run keeps paths inside the program's own folder relative to it, so that what is shipped opens on any
machine, and all other paths absolute, so that it opens from any folder.
"""

from pathlib import Path

from csp.keeping.bundle import BUNDLE
from csp.keeping.library.find import address_name, run_destination
from csp.world.places.addresses import is_address
from csp.world.specs.paths import anchored_path, anchored_spec, split_path


def destination(out: str) -> Path:
    """The folder of a new run: a plain name lies in the runs folder, a path where it says.

    One that goes to an address on a server is made in the runs folder first, under the address's last part.
    """
    if is_address(out):
        return run_destination(address_name(out.rstrip("/")))
    return run_destination(out if Path(out).name == out else str(anchored_path(out, Path.cwd())))


def openable_spec(spec: str) -> str:
    """A spec to open, from a command (relative to the working folder) or a manifest (to this program)."""
    here = anchored_spec(spec, Path.cwd())
    return anchored_spec(spec, BUNDLE) if here == spec else here


def portable_spec(spec: str) -> str:
    """A spec as a manifest keeps it."""
    before, path = split_path(openable_spec(spec))
    if path and Path(path).is_relative_to(BUNDLE):
        return before + Path(path).relative_to(BUNDLE).as_posix()
    return before + path
