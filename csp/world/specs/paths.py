"""Specs that name a file or folder: kept findable from wherever a run is opened."""

import os
import re
from itertools import takewhile
from pathlib import Path

from csp.files import expanded
from csp.world.specs.registry import KINDS, OWN, Scheme

_PATTERN = re.compile(r"[*?{[]")
_OWN = Scheme(OWN, "", (), "", path="@")


def split_path(spec: str) -> tuple[str, str]:
    """A spec in two: what comes before its path, and the path ("" when it holds none)."""
    name, colon, rest = spec.partition(":")
    schemes = [kind[name] for kind in KINDS if name in kind] or [_OWN]
    for scheme in schemes:
        before, path = scheme.split_path(rest)
        if path:
            return f"{name}{colon}{before}", path
    return spec, ""


def anchored_spec(spec: str, base: Path) -> str:
    """The spec with its path taken from the folder `base`, where that exists; else the spec as it is."""
    before, path = split_path(spec)
    anchored = anchored_path(path, base)
    return f"{before}{anchored}" if path and _is_there(anchored) else spec


def _is_there(path: Path) -> bool:
    """Whether it is there, or the folder that a pattern such as `train-{000..012}.tar` begins with; a part
    of it may be named after `#`."""
    if path.exists() or Path(str(path).partition("#")[0]).exists():
        return True
    folders = list(takewhile(lambda part: not _PATTERN.search(part), path.parts))
    return len(folders) < len(path.parts) and len(folders) > 1 and Path(*folders).is_dir()


def anchored_path(path: str, base: Path) -> Path:
    """An absolute path without `..`, taken from the folder `base` when it is relative."""
    return Path(os.path.normpath(base.absolute() / expanded(path)))
