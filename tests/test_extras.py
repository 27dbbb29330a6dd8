"""Who installed no extra can browse, and is told in one sentence what anything else needs."""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from csp.extras import EXTRAS, optional

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "csp").rglob("*.py"))
DISTRIBUTIONS = {
    "open_clip": "open_clip_torch",
    "umap": "umap-learn",
    "authlib": "streamlit",
    "faiss": "faiss-cpu",
    "gdcm": "python-gdcm",
    "pillow_heif": "pillow-heif",
}
"""What brings a library, where it has another name."""


def without(*libraries: str, home: Path) -> dict[str, str]:
    """The environment of a process for which these libraries are not installed."""
    path = os.pathsep.join([str(ROOT / "tests" / "without"), str(ROOT)])
    return os.environ | {"PYTHONPATH": path, "WITHOUT": ",".join(libraries), "CSP_HOME": str(home)}


def test_the_extras_are_those_of_the_project() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for library, extra in EXTRAS.items():
        assert DISTRIBUTIONS.get(library, library) in {Requirement(line).name for line in extras[extra]}
    assert set(EXTRAS.values()) == extras.keys() - {"all"}


def test_only_a_library_of_an_extra_is_explained() -> None:
    with pytest.raises(ModuleNotFoundError), optional():
        import no_such_library  # noqa: F401


COMMANDS = [
    ("torch", "models", ("layers", "torchvision:resnet18")),
    ("torchvision", "models", ("layers", "torchvision:resnet18")),
    ("transformers", "models", ("candidates", "demo", "--layer", "layer4", "--neurons", "1", "--vlm", "VLM")),
    ("open_clip", "models", ("search", "demo", "words that no vocabulary holds")),
    ("umap", "models", ("map", "demo")),
    ("diffusers", "generate", ("evaluate", "demo", "--metric", "cosy", "--generator", "hf:any/model")),
    ("psycopg", "teams", ("review", "list", "demo")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("library", "extra", "command"), COMMANDS, ids=[one[0] for one in COMMANDS])
def test_a_command_says_what_to_install(
    library: str, extra: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    environment = without(library, home=tmp_path)
    if library == "psycopg":
        environment["CSP_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    vlm = f"hf:{ROOT / 'assets' / 'models' / 'vlm'}"
    words = [vlm if word == "VLM" else word for word in command]
    done = subprocess.run(
        [sys.executable, "-m", "csp", *words], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert f"the Python library {library}, which is not installed" in last, done.stderr
    assert f"`pip install 'csp-explorer[{extra}]'`" in last


@pytest.mark.slow
def test_pages_without_any_extra(tmp_path: Path) -> None:
    pages = str(ROOT / "tests" / "without" / "pages.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", pages],
        env=without(*EXTRAS, home=tmp_path),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_import_of_an_optional_library_is_explained() -> None:
    """Adapters may need one at their top, as they are opened by name; other imports stand in `optional()`."""
    bare = {module(path): set(unexplained(ast.parse(path.read_text()))) for path in SOURCES}
    needing: set[str] = set()
    while more := {name for name, found in bare.items() if found & (EXTRAS.keys() | needing)} - needing:
        needing |= more
    elsewhere = {name for name in needing if not name.startswith("csp.world.")}
    assert not elsewhere, f"{elsewhere} import an optional library outside `with optional()`"


def unexplained(node: ast.AST) -> Iterator[str]:
    """The libraries and modules of ours that are imported anywhere but for types and in `with optional()`."""
    if isinstance(node, ast.With) and any("optional()" in ast.unparse(item) for item in node.items):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        for child in ast.iter_child_nodes(node):
            yield from unexplained(child)
        return
    yield from (name if name.startswith("csp.") else name.partition(".")[0] for name in names)


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
