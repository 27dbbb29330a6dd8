"""What the screens say is for clinicians: words of the workshop do not get onto them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from csp.face.screen.page.glossary import OF_PAGE, WORDS, glossary
from csp.face.screen.page.navigation import GROUPS, INSIDE
from csp.work.attribution.class_attribution import HOW as PUSHES
from csp.work.attribution.predictions import HOW as ADDS
from csp.work.metrics.registry import NUMBERS

ROOT = Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r"\bfirst labels?\b|resampl|foretell|has a double|exact: exact|\b1 (neurons|images|runs)\b", re.IGNORECASE
)
SCREENS = sorted(
    [
        *(ROOT / "csp" / "face" / "screen").rglob("*.py"),
        *(ROOT / "csp" / "work" / "metrics").glob("*.py"),
        *(ROOT / "csp" / "work" / "neurons").glob("*.py"),
        *(ROOT / "csp" / "work" / "attribution").glob("*.py"),
        *(ROOT / "pages").glob("*.py"),
        ROOT / "app.py",
    ]
)


def texts(path: Path) -> Iterator[str]:
    """The texts of a module without its docstrings."""
    tree = ast.parse(path.read_text())
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.value


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_of_a_screen_has_a_word_of_the_workshop(path: Path) -> None:
    found = [text for text in texts(path) if FORBIDDEN.search(text)]
    assert not found


def test_nor_has_the_report() -> None:
    assert not FORBIDDEN.search((ROOT / "csp/work/report/report.html.j2").read_text())


def test_how_a_number_was_found_does_not_repeat_its_name() -> None:
    for names in (PUSHES, ADDS):
        assert not [how for how, words in names.items() if words.startswith(f"{how}:")]


def test_each_number_is_explained_and_every_page_has_its_words() -> None:
    assert all(number.what for number in NUMBERS.values())
    titles = {name for group in GROUPS for _, name in group} | set(INSIDE)
    assert titles <= set(OF_PAGE)
    for title in titles:
        assert set(OF_PAGE[title]) <= set(WORDS)
        said = glossary(title)
        assert said.index(f"**{OF_PAGE[title][0]}**") < said.index("**Other words**")
        assert all(said.count(f"- **{word}**:") == 1 for word in WORDS)
