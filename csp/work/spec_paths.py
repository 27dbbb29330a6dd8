"""Paths inside specs such as `openclip:local-dir:models/clip`: made absolute, or relative to this program.

A run keeps paths inside the program's own folder relative to it, so that what is shipped opens on any
machine, and all other paths absolute, so that it opens from any folder.
"""

import os
from pathlib import Path

from csp.keeping.home import REPOSITORY, run_destination

PATH_SCHEMES = ("folder:", "csv:", "openclip:local-dir:", "hf:")


def split_path(spec: str) -> tuple[str, str]:
    """A spec in two: what comes before its path, and the path ("" when it holds none)."""
    for scheme in PATH_SCHEMES:
        if spec.startswith(scheme):
            return scheme, spec.removeprefix(scheme)
    before, at, path = spec.partition("@")
    return before + at, path


def anchored_spec(spec: str, base: Path) -> str:
    """The spec with its path taken from the folder `base`, where that exists; else the spec as it is."""
    before, path = split_path(spec)
    anchored = anchored_path(path, base)
    return f"{before}{anchored}" if path and anchored.exists() else spec


def anchored_path(path: str, base: Path) -> Path:
    """An absolute path without `..`, taken from the folder `base` when it is relative."""
    return Path(os.path.normpath(base.absolute() / Path(path).expanduser()))


def destination(out: str) -> Path:
    """The folder of a new run: a plain name lies in the runs folder, a path where it says."""
    return run_destination(out if Path(out).name == out else str(anchored_path(out, Path.cwd())))


def openable_spec(spec: str) -> str:
    """A spec to open, from a command (relative to the working folder) or a manifest (to this program)."""
    here = anchored_spec(spec, Path.cwd())
    return anchored_spec(spec, REPOSITORY) if here == spec else here


def portable_spec(spec: str) -> str:
    """A spec as a manifest keeps it."""
    before, path = split_path(openable_spec(spec))
    if path and Path(path).is_relative_to(REPOSITORY):
        return before + Path(path).relative_to(REPOSITORY).as_posix()
    return before + path
