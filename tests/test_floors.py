"""Imports only point down the floors, and heavy or face-only libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "__init__": 6,
    "counts": 0,
    "errors": 0,
    "extras": 0,
    "files": 0,
    "numerals": 0,
    "plugins": 0,
    "method": 1,
    "world": 2,
    "keeping": 3,
    "work": 4,
    "face": 5,
    "api": 5,
    "__main__": 6,
}
FENCES = {
    "torch": "csp/world",
    "torchvision": "csp/world",
    "open_clip": "csp/world",
    "transformers": "csp/world",
    "streamlit": "csp/face/screen",
    "typer": "csp/face/cli",
    "rich": "csp/face/cli",
}
WINGS: dict[str, list[set[str]]] = {
    "csp.method": [
        {"checks", "scatter", "threads"},
        {"states", "search", "attribution", "unlikeness", "matching", "control", "sight"},
        {"examples"},
        {"labelers"},
        {"chance", "modes"},
        {"metrics"},
        {"reliance", "facets"},
    ],
    "csp.world": [
        {"dermoscopy", "documents", "gpu", "specs", "pictures", "tables"},
        {"places"},
        {"protocols"},
        {"torch_models", "datasets"},
        {"encoders", "generators", "saes", "vlms"},
        {"targets"},
    ],
    "csp.keeping": [
        {"bundle"},
        {
            "atomic",
            "canonical_json",
            "code_hash",
            "home",
            "lock",
            "lru",
            "piles",
            "redaction",
            "spreadsheet",
            "versions",
        },
        {"faults"},
        {"jobs", "result_cache", "reviews", "run_folder"},
        {"library"},
    ],
    "csp.work": [
        {"engines", "provenance", "progress", "runs", "splits", "subgroups"},
        {"run_cache"},
        {"models"},
        {"labels"},
        {"explorer"},
        {"control"},
        {"attribution", "candidates"},
        {"indexing", "reviews"},
        {"metrics"},
        {"reliance"},
        {"report"},
        {"neurons"},
        {"jobs"},
    ],
    "csp.face.screen": [
        {"wording"},
        {"url", "review_wording"},
        {"elements"},
        {"state"},
        {"page"},
        {"audit", "judge", "runs"},
        {"candidates", "atlas", "reliance"},
        {"neuron", "search"},
        {"compare", "start", "review"},
    ],
}
"""The rooms of each floor, low to high; those of one step do not know each other."""

SOURCES = sorted((ROOT / "csp").rglob("*.py"))
SCREENS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Absolute names of all that a file imports, wherever in it the import stands."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports absolutely"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(module: str) -> int:
    return FLOORS[module.split(".")[1]] if module.count(".") else 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    relative = path.relative_to(ROOT).with_suffix("")
    own = floor(".".join(relative.parts))
    for name in imported(path):
        if name.startswith("csp."):
            assert floor(name) <= own, f"{relative} (floor {own}) imports {name} (floor {floor(name)})"
        fence = FENCES.get(name.split(".")[0])
        assert fence is None or str(relative).startswith(fence), (
            f"{relative} imports {name}; only {fence} may"
        )


def wing(module: str) -> tuple[str, int, str] | None:
    """The floor, step and name of the wing that holds a module."""
    for base, steps in WINGS.items():
        if module.startswith(f"{base}."):
            name = module[len(base) + 1 :].split(".")[0]
            for step, names in enumerate(steps):
                if name in names:
                    return base, step, name
            raise AssertionError(f"{module}: the wing {name!r} has no place among {base}'s in WINGS")
    return None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_wings_import_only_wings_below(path: Path) -> None:
    own = wing(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for name in imported(path):
        other = wing(name) if own and name.count(".") >= own[0].count(".") + 2 else None
        if own and other and own[0] == other[0] and own[2] != other[2]:
            assert other[1] < own[1], f"{path.relative_to(ROOT)} ({own[2]}) imports {name}"


def test_no_folder_is_a_heap() -> None:
    for folder in {path.parent for path in SOURCES}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 15, f"{folder.relative_to(ROOT)} holds {len(files)} files; give them rooms"


@pytest.mark.parametrize("path", SCREENS, ids=lambda p: p.name)
def test_pages_hold_no_computation(path: Path) -> None:
    """A page draws with csp.face.screen; what it knows comes through that floor."""
    for name in imported(path):
        top = name.split(".")[0]
        assert top in {"csp", "streamlit", "__future__", "collections", "typing"}, (
            f"{path.name} imports {name}"
        )
        assert not name.startswith(("csp.method", "csp.world", "csp.keeping")), f"{path.name} imports {name}"


def test_browsing_imports_no_model_library() -> None:
    """Opening a stored run must not pay for torch, open_clip or transformers."""
    code = (
        "import sys, csp.work.explorer.explorer, csp.keeping.run_folder.run\n"
        "import csp.world.protocols.target, csp.world.protocols.dataset\n"
        "print([m for m in ('torch', 'torchvision', 'open_clip', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
