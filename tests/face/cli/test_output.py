"""What the terminal or the disk can't take is no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from csp.errors import UnavailableError
from csp.keeping import atomic
from csp.keeping.run_folder import added_tables
from csp.keeping.run_folder.run import Run
from csp.work.labels.stored import LATER

SAYS = "from csp.face.cli import app, output; app.run(['--version']); output.{}"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("print_lines(['毛 ≥ é'])", "? ? é\n".encode("latin-1")),
        ("print_json(['毛'])", b'[\n  "\\u6bdb"\n]\n'),
    ],
)
def test_letters_that_the_terminal_lacks(call: str, said: bytes) -> None:
    there = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", SAYS.format(call)],
        capture_output=True,
        env={**os.environ, **there},
        check=True,
    )
    assert done.stdout.endswith(said)


def test_a_full_disk_is_a_sentence(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_bytes", full)
    row = {"layer": "late", "neuron": 0, "labeler": "csp", "rank": 1, "label": "ruler", "score": 0.1}
    with pytest.raises(UnavailableError, match=r"can't be kept .*No space left on device"):
        added_tables.Additions(tiny_run).append(LATER, pd.DataFrame([row]))
