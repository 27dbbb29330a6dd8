"""How a long job tells what it is doing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """Where a job stands: `done` of `total` steps of a stage, and the rate since this stage began."""

    stage: str
    done: int
    total: int
    rate: float | None
    """Steps (images, while indexing) per second; None before the first."""
    seconds_left: float | None


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report to nobody."""


@dataclass
class Stage:
    """Reports the progress of one stage; a stage that resumes counts its rate from where it starts."""

    name: str
    total: int
    report: Report
    start: int = 0
    _began: float = field(default_factory=time.monotonic, init=False)

    def reached(self, done: int) -> None:
        """Report that `done` steps are done."""
        new, seconds = done - self.start, time.monotonic() - self._began
        rate = new / seconds if new and seconds > 0 else None
        self.report(Progress(self.name, done, self.total, rate, (self.total - done) / rate if rate else None))
