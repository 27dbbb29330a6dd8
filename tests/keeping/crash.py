"""Builds the tiny run in a process of its own that gets a `kill -9` at a chosen moment.

The moments are counted in file openings, renames and removals: all places where a kill can leave something
half-done. An audit hook sees them whoever makes them, Zarr included; the clock finds the moments between.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

from tests.build import build_run

MOMENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}


def build_and_die(out: Path, moments: int, seconds: float | None = None) -> bool:
    """Go on making the run until so many moments or seconds have passed; whether it got finished."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_build, args=(out, moments))
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def _build(out: Path, moments: int) -> None:
    left = moments

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in MOMENTS and str(out) in os.fsdecode(str(arguments[0])):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    build_run(out)
