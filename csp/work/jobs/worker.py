"""The process of one job: `python -m csp.work.jobs.worker FOLDER LOCK`.

It holds the job's lock (inherited, so that there is no moment without it), waits for its turn, works, and
says how it ended. SIGTERM stops it as Ctrl-C stops a command. An error ends it
with a sentence.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from csp.keeping.faults import told
from csp.keeping.jobs import JobFolder, JobProgress, JobState, jobs_folder, now, open_jobs
from csp.work.jobs.registry import find_kind, still_wrong
from csp.work.progress import Progress

TURN_NAME = "turn"
SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_BETWEEN_NOTES = 0.5
SECONDS_BETWEEN_LINES = 5.0
NICENESS = 10
"""Pages that people look at come first."""


def main(folder: JobFolder) -> None:
    """Wait, work, and say how it ended."""
    standing = JobState(pid=os.getpid())
    folder.write_standing(standing)
    try:
        if folder.asked_to_stop():
            raise KeyboardInterrupt
        with _turn(folder):
            standing = standing.model_copy(update={"state": "running", "started": now()})
            folder.write_standing(standing)
            asked = folder.asked()
            result = find_kind(asked.kind).run(asked.arguments, JobReport(folder))
        ending: dict[str, object] = {"state": "done", "result": result}
    except KeyboardInterrupt:
        ending = {"state": "cancelled"}
    except Exception as error:  # noqa: BLE001 # the edge of every job
        ending = {"state": "failed", "error": told(error), "hopeless": _hopeless(folder)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _say(f"{ending['state']} {ending.get('error', '')}".rstrip())
    folder.write_standing(standing.model_copy(update={**ending, "ended": now(), "pid": None}))


def _hopeless(folder: JobFolder) -> bool:
    """Whether what was asked can't work, by the check that is made before a job starts."""
    with suppress(Exception):  # whatever the check meets, the job has to say how it ended
        asked = folder.asked()
        return bool(still_wrong(asked.kind, asked.arguments))
    return False


class JobReport:
    """Writes progress where pages read it, and a line into the log now and then."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._noted = self._printed = 0.0
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        """Note a progress when it is time for it, and always at the start and end of a stage."""
        moment = time.monotonic()
        turning = progress.stage != self._stage or progress.done >= progress.total
        if turning or moment - self._noted >= SECONDS_BETWEEN_NOTES:
            self._noted = moment
            self._folder.write_reached(JobProgress(**vars(progress)))
        if turning or moment - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = moment
            _say(f"{progress.stage}: {progress.done}/{progress.total}")
        self._stage = progress.stage


@contextmanager
def _turn(folder: JobFolder) -> Iterator[None]:
    """Wait until no job asked for earlier waits and none works; the others wait meanwhile."""
    descriptor = os.open(jobs_folder() / TURN_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not (_first_in_line(folder) and lock_descriptor(descriptor, blocking=False)):
            time.sleep(SECONDS_BETWEEN_LOOKS)
        yield
    finally:
        os.close(descriptor)


def _first_in_line(folder: JobFolder) -> bool:
    return not any(
        other.id < folder.id and other.standing().state == "queued" and other.alive() for other in open_jobs()
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{now():%Y-%m-%d %H:%M:%S} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.set_inheritable(int(sys.argv[2]), False)
    os.nice(NICENESS)
    main(JobFolder(Path(sys.argv[1])))
