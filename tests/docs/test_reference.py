"""The documentation says what the program does: commands, names, places, and links that lead somewhere."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

import csp
from csp.face.cli.app import app
from scripts.docs.commands import PAGE, page

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^\| (.+\?) \| `(\S+)` \| `(\w+)` \|$", ARCHITECTURE, re.MULTILINE)


def test_every_option_stands_in_the_reference_as_the_help_says_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m scripts.docs.commands"


def test_every_command_is_described_by_task() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    commands = get_command(app).commands
    assert [name for name, one in commands.items() if not one.hidden and f"csp {name}" not in text] == []


@pytest.mark.parametrize(("question", "file", "name"), QUESTIONS, ids=[one[2] for one in QUESTIONS])
def test_questions_are_answered_where_the_page_says(question: str, file: str, name: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), question


def test_there_are_questions_enough() -> None:
    assert len(QUESTIONS) >= 10


def test_the_python_page_names_the_whole_front_door() -> None:
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    functions = {"open": "open_run"}
    for name in set(csp.__all__) - {"__version__"}:
        assert functions.get(name, name) in text or name == "CspError", name


def test_every_room_stands_in_the_architecture() -> None:
    for floor in ("method", "world", "keeping", "work", "face/screen"):
        for folder in (ROOT / "csp" / floor).iterdir():
            if (folder / "__init__.py").is_file():
                assert f"`{folder.name}`" in ARCHITECTURE, f"{floor}/{folder.name} is not described"
