"""Long jobs: started from a page or a command, worked on by a process of their own.

A job survives a closed tab, and the server that started it. One works at a time, the others wait their turn.
A cancelled or killed job keeps what it computed; `resume_job` goes on from there.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from csp.errors import BadInputError, UnavailableError
from csp.keeping import lock
from csp.keeping.jobs import (
    LOG_NAME,
    JobFolder,
    JobProgress,
    JobRequest,
    JobState,
    State,
    all_jobs,
    find_job,
    job_ids,
    jobs_about,
    new_job,
    now,
    open_jobs,
)
from csp.work.jobs.registry import CheckedJob, still_wrong

SECONDS_TO_GO = 5.0
KILLED = (
    "The job ended without finishing: it was killed, the machine was restarted, or it met a fault that its "
    "log tells. What it computed is kept; resume it to go on from there."
)


_ONE_AT_A_TIME = threading.Lock()
"""Between the look for the same job and its start."""


@dataclass(frozen=True)
class Job:
    """A job as a page shows it. `result` is the name of the run to open, once there is one."""

    id: str
    kind: str
    title: str
    by: str
    arguments: Mapping[str, Any]
    state: State
    progress: JobProgress | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    error: str
    result: str
    hopeless: str
    """Why a failed job would end the same way when it goes on; "" where it need not."""
    log: str
    """The end of what it printed."""

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def resumable(self) -> bool:
        """Whether `resume_job` can go on with it."""
        return self.state in ("failed", "cancelled") and not self.hopeless


def start_job(checked: CheckedJob, title: str = "", by: str = "") -> Job:
    """Start a job that was checked, in a process of its own; it waits while another one works.

    start_job(check_job("map", {"run": "demo"}), by="Ada")
    """
    asked = JobRequest(
        kind=checked.kind.name,
        arguments=dict(checked.arguments),
        title=title or checked.kind.title(checked.arguments),
        by=by,
        created=now(),
    )
    folder, descriptor = new_job(asked)
    _spawn(folder, descriptor)
    return _seen(folder)


def start_once(checked: CheckedJob, title: str = "", by: str = "") -> Job:
    """As `start_job`, but a job that does the very same and has not ended is given back: a press may come
    twice, or from two people at once."""
    with _ONE_AT_A_TIME:
        asked = checked.kind.name, dict(checked.arguments)
        for seen in map(_seen, open_jobs()):
            if not seen.finished and (seen.kind, dict(seen.arguments)) == asked:
                return seen
        return start_job(checked, title, by)


def resume_job(id_: str) -> Job:
    """Go on with a job that failed, was cancelled or was killed.

    BadInputError when it is none of these, is hopeless, or its process does not end.
    """
    folder = find_job(id_)
    seen = _seen(folder)
    if seen.hopeless:
        raise BadInputError(f"the job {id_} would end the same way: {seen.hopeless}")
    if not seen.resumable:
        raise BadInputError(f"the job {id_} is {seen.state}: only one that failed or was cancelled can go on")
    descriptor = _lock_of_ended(folder)
    folder.forget_stop()
    folder.write_standing(JobState())
    _spawn(folder, descriptor)
    return _seen(folder)


def cancel_job(id_: str) -> Job:
    """Ask a job to stop at the next safe moment; what it computed stays. A finished one is left alone."""
    folder = find_job(id_)
    folder.ask_to_stop()
    # The note comes first and the process looks for it once it has told its number: one of the two is seen.
    pid = folder.standing().pid
    if pid is not None and folder.alive():
        os.kill(pid, signal.SIGTERM)
    return _seen(folder)


def job(id_: str) -> Job:
    """One job as it stands now; NotFoundError when there is none of this id."""
    return _seen(find_job(id_))


def list_jobs(most: int | None = None) -> tuple[Job, ...]:
    """The jobs as they stand now: those that have not ended before the others, in each the newest first.

    `most` says how many at most, all if left out; the others are not read.
    """
    going = [seen for folder in open_jobs() if not (seen := _seen(folder)).finished]
    known = {one.id for one in going}
    ended = (_seen(folder) for folder in all_jobs() if folder.id not in known)
    return tuple(islice(chain(going, ended), most))


def count_jobs() -> int:
    """How many jobs there are, without reading them."""
    return len(job_ids())


def last_job(kind: str, arguments: Mapping[str, Any]) -> Job | None:
    """The newest job of a kind about the same run, layer and neurons; reads no other."""
    return next((_seen(folder) for folder in jobs_about(kind, arguments)), None)


def _lock_of_ended(folder: JobFolder) -> int:
    """The lock of a job that said how it ended: its process may take a moment to go. Raises BadInputError."""
    end = time.monotonic() + SECONDS_TO_GO
    while True:
        try:
            return lock.acquire(folder.path)
        except UnavailableError:
            if time.monotonic() > end:
                raise BadInputError("the job is still stopping: resume it in a moment") from None


def _spawn(folder: JobFolder, descriptor: int) -> None:
    """Hand the job and its lock to a process that outlives this one."""
    with (folder.path / LOG_NAME).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "csp.work.jobs.worker", str(folder.path), str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(descriptor,),
            start_new_session=True,
        )
    lock.release(descriptor)
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays behind


def _seen(folder: JobFolder) -> Job:
    alive = folder.alive()  # before the standing: a job says how it ended, then ends
    asked, standing = folder.asked(), folder.standing()
    killed = standing.ended is None and not alive and folder.standing().ended is None
    return Job(
        id=folder.id,
        kind=asked.kind,
        title=asked.title,
        by=asked.by,
        arguments=asked.arguments,
        state="failed" if killed else standing.state,
        progress=folder.reached(),
        created=asked.created,
        started=standing.started,
        ended=standing.ended,
        error=KILLED if killed else standing.error,
        result=standing.result,
        hopeless=next(iter(still_wrong(asked.kind, asked.arguments).values()), "")
        if standing.hopeless
        else "",
        log=folder.log_tail(),
    )
