"""One registry of keys: nothing clashes, nothing that Streamlit or a browser keeps for itself."""

import ast
from collections import Counter
from pathlib import Path

from streamlit.elements.lib.shortcut_utils import normalize_shortcut

from csp.face.screen.page.shortcuts import KEYS, shortcut

ROOT = Path(__file__).parents[2]
KEPT_FREE = {"c", "r", "space", "enter", "up", "down"}


def test_no_two_actions_share_a_key() -> None:
    taken = Counter(normalize_shortcut(key.shortcut) for key in KEYS.values())
    assert taken.most_common(1)[0][1] == 1
    assert not KEPT_FREE & set(taken)
    assert [shortcut(action) for action in ("accept", "none", "undo", "pick-9")] == ["A", "X", "Z", "9"]


def test_every_button_takes_its_key_from_the_registry() -> None:
    """No page or part writes a key of its own, where a clash would go unnoticed."""
    screens = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "csp" / "face").rglob("*.py")]
    assert [f"{path.name}: {key}" for path in screens for key in written_keys(path)] == []


def written_keys(path: Path) -> list[str]:
    """The keys that a file writes itself."""
    given = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.keyword)]
    return [
        str(node.value.value)
        for node in given
        if node.arg == "shortcut" and isinstance(node.value, ast.Constant)
    ]
