"""What the documentation names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))
FILE = re.compile(r"(?<![\w/.-])(?:csp|tests|scripts|benchmarks|pages|examples)/[\w./-]*\w")
MODULE = re.compile(r"^ *(?:from|import) (csp(?:\.\w+)*)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_modules_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {ROOT / name for name in FILE.findall(text)}
    named |= {ROOT.joinpath(*module.split(".")) for module in MODULE.findall(text)}
    assert [path for path in named if not path.exists() and not path.with_suffix(".py").exists()] == []
