"""What took too long does not keep the process that gave it up."""

import subprocess
import sys

import pytest

from tests import patience

GIVES_UP = """
import atexit, sys
from threading import Event
from csp.world.places.bounded import bounded, leave
never = Event()
atexit.register(never.wait)  # as Arrow, which waits for its requests
try:
    bounded(never.wait, 0.01)
except TimeoutError:
    print("a sentence")
    {ending}
"""


@pytest.mark.parametrize(("ending", "code"), [("leave(2)", 2), ("pass", 0), ("raise", 1)])
def test_the_process_ends_with_its_own_code(ending: str, code: int) -> None:
    script = GIVES_UP.format(ending=ending)
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS, check=False)
    assert (ended.returncode, ended.stdout) == (code, "a sentence\n")
