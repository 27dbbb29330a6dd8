"""The versions that a run or an answer was made with."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VERSION = "0.2.0"
"""Of this program, by semantic versioning; the only place that says it (pyproject.toml reads it here)."""

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "zarr",
    "pillow",
    "torch",
    "torchvision",
    "open_clip_torch",
)


_CODE = ("method", "world", "keeping", "work")


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that decide numbers, of those that are installed; imports none."""
    found = {name: _version(name) for name in LIBRARIES}
    return {name: known for name, known in found.items() if known}


def code_hash() -> str:
    """sha256 over the source of the floors that make a run."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for floor in _CODE for path in (root / floor).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def csp_version() -> str:
    """The version of this program."""
    return VERSION


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
