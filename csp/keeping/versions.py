"""The versions that a run or an answer was made with."""

from importlib.metadata import PackageNotFoundError, version

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


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that decide numbers, of those that are installed; imports none."""
    found = {name: _version(name) for name in LIBRARIES}
    return {name: known for name, known in found.items() if known}


def csp_version() -> str:
    """The version of this program."""
    return VERSION


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
