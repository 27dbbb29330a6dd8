"""Progress of a job on stderr: a bar in a terminal, else a plain line every few seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from csp.face.cli.output import printable
from csp.work.progress import Progress, Report

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown_progress() -> Iterator[Report]:
    """A function that shows each progress it is given."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(printable(progress.stage), facts="")
            bars.update(
                tasks[progress.stage], completed=progress.done, total=progress.total, facts=facts(progress)
            )

        yield show


class PlainProgress:
    """Lines that a log keeps well: the end of each stage, and now and then where it stands."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line when it is time for one."""
        now = time.monotonic()
        if progress.done < progress.total and now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        sys.stderr.write(f"{printable(progress.stage)}: {facts(progress)}\n")
        sys.stderr.flush()


def facts(progress: Progress) -> str:
    """`120/400, 35.2/s, 0:08 left`."""
    parts = [f"{progress.done}/{progress.total}"]
    if progress.rate is not None:
        parts.append(f"{progress.rate:.1f}/s")
    if progress.seconds_left is not None and progress.done < progress.total:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return ", ".join(parts)
