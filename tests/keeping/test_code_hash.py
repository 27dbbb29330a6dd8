"""The hash of a module's code changes with what the module runs, and with nothing else."""

import ast
import importlib
import shutil
from pathlib import Path

import pytest

from csp.keeping.code_hash import SourceTree, code_hash

ROOT = Path(__file__).parents[2]
ANSWERS = "csp.work.explorer.explorer"
CONTRAST = "csp/method/examples/contrastive.py"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copied")
    shutil.copytree(ROOT / "csp", root / "csp", ignore=shutil.ignore_patterns("*.pyc", "*.js"))
    return root


def hash_with(root: Path, file: str, more: str) -> str:
    """The hash of what answers when `more` stands at the end of a file of the copy."""
    path = root / file
    before = path.read_text()
    path.write_text(before + more)
    try:
        return SourceTree(root).hash(ANSWERS)
    finally:
        path.write_text(before)


@pytest.mark.parametrize(
    "file",
    [
        "csp/work/reviews/people.py",
        "csp/work/jobs/jobs.py",
        "csp/work/metrics/experiment.py",
        "csp/keeping/reviews/store.py",
        "csp/world/vlms/transformers.py",
        "csp/world/encoders/openclip.py",
        "csp/face/screen/wording.py",
    ],
)
def test_code_that_takes_no_part_leaves_the_hash(copied: Path, file: str) -> None:
    assert hash_with(copied, file, "\nCHANGED = True\n") == code_hash(ANSWERS)


@pytest.mark.parametrize(
    "file",
    [
        CONTRAST,
        "csp/method/labelers/projection.py",
        "csp/method/labelers/falcon.py",
        "csp/work/explorer/explorer.py",
        "csp/keeping/run_folder/arrays.py",
    ],
)
def test_code_that_takes_part_changes_the_hash(copied: Path, file: str) -> None:
    assert hash_with(copied, file, "\nCHANGED = True\n") != code_hash(ANSWERS)


def test_an_adapter_takes_part_where_a_model_runs() -> None:
    """It is imported only when a model opens: its name stands in a text."""
    assert "csp.world.targets.torchvision" in SourceTree(ROOT).modules("csp.work.attribution.heatmaps")


@pytest.mark.parametrize("more", ["\n# a remark\n", '\n"""A text that explains."""\n', "\n\n\n"])
def test_remarks_and_layout_leave_the_hash(copied: Path, more: str) -> None:
    assert hash_with(copied, CONTRAST, more) == code_hash(ANSWERS)


def test_a_module_outside_the_package_counts_with_what_it_imports(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a plug-in."""
    own = tmp_path / "own_answers.py"
    own.write_text("from csp.keeping.canonical_json import canonical_json\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("own_answers").__name__
    before = SourceTree(copied).hash(module)
    own.write_text(own.read_text() + "CHANGED = True\n")
    assert SourceTree(copied).hash(module) != before
    (copied / "csp/keeping/canonical_json.py").write_text("CHANGED = True\n")
    own.write_text("from csp.keeping.canonical_json import canonical_json\n")
    assert SourceTree(copied).hash(module) != before


def test_a_tree_that_another_thread_disturbed_is_asked_for_again(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.11.7 does when two threads parse at once."""
    parse, disturbed = ast.parse, iter([True])

    def parsed(source: bytes) -> ast.Module:
        if next(disturbed, False):
            raise SystemError("AST constructor recursion depth mismatch (before=54, after=23)")
        return parse(source)

    expected = SourceTree(copied).hash(ANSWERS)
    monkeypatch.setattr(ast, "parse", parsed)
    assert SourceTree(copied).hash(ANSWERS) == expected
