"""The shell completes commands and names of runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csp.keeping.run_folder.run import Run


def csp(*words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "csp", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("csp rev", ["review"]),
        ("csp label t", ["tiny"]),
        ("csp search ", ["tiny", "demo", "demo-saes"]),
        ("csp map x", []),
    ],
)
def test_what_can_follow(typed: str, offered: list[str], tiny_run: Run) -> None:
    place = str(len(typed.split(" ")) - 1)
    assert csp(_CSP_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=place).split() == offered


def test_it_is_installed_for_the_shell(tmp_path: Path) -> None:
    # From a shell, as a person does: it is told by the processes above, of which a test may have none.
    typed = f'"{sys.executable}" -m csp --install-completion; exit $?'
    subprocess.run(["bash", "-c", typed], env=os.environ | {"HOME": str(tmp_path)}, check=True)
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert str(script) in (tmp_path / ".bashrc").read_text()
