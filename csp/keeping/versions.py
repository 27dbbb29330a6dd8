"""The versions that a run or an answer was made with."""

import hashlib
from importlib.metadata import version
from pathlib import Path

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
    """Versions of the libraries that decide numbers, without importing them."""
    return {name: version(name) for name in LIBRARIES}


def code_hash() -> str:
    """sha256 over the source of the floors that make a run."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for floor in _CODE for path in (root / floor).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def csp_version() -> str:
    """The version of this program."""
    return version("csp-explorer")
