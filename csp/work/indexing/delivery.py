"""Runs that are made for a server: made on this machine, then sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from csp.keeping.library.delivery import deliver_run, expect_receiver, renewed, withdraw
from csp.work.progress import Report, Stage
from csp.work.runs.spec_paths import destination
from csp.world.places.addresses import is_address


@contextmanager
def place_of(out: str, report: Report) -> Iterator[Path]:
    """The folder to make a run in, which is sent afterwards where `out` is an address.

    What stops the sending leaves the run here: made again, nothing is left to do but to send the rest. Raises
    as `destination` and `deliver_run`, as far as possible before the run is made.
    """
    folder, address = destination(out), out.rstrip("/")
    if not is_address(out):
        yield folder
        return
    claimed = expect_receiver(address, folder)
    try:
        with renewed(address, folder):
            yield folder
    except Exception:
        if claimed:
            withdraw(address, folder)
        raise
    deliver_run(folder, address, _telling(report))


def _telling(report: Report) -> Callable[[int, int], None]:
    stages: list[Stage] = []

    def told(done: int, total: int) -> None:
        if not stages:
            stages.append(Stage("files sent", total, report, start=done - 1))
        stages[0].reached(done)

    return told
