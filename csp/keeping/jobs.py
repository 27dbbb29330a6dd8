"""Long jobs on disk: `CSP_HOME/jobs/ID/` with what was asked, where it stands, its log, and a lock.

| file | written by | holds |
| --- | --- | --- |
| `job.json` | who starts it, once | what was asked: kind, arguments, title, by whom |
| `state.json` | the job | queued, running, done, failed or cancelled, and when |
| `progress.json` | the job, now and then | how far it is |
| `log.txt` | the job | what it printed |
| `cancel` | who cancels it | nothing: its presence asks the job to stop |
| `lock` | the job | locked while the job lives, so that a killed job is seen to be dead |

A job is there when its `job.json` is; every file but the log is written whole.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from csp.errors import NotFoundError
from csp.keeping import atomic, lock
from csp.keeping.home import home

JOB_NAME, STATE_NAME, PROGRESS_NAME, LOG_NAME, CANCEL_NAME = (
    "job.json",
    "state.json",
    "progress.json",
    "log.txt",
    "cancel",
)
LOG_TAIL_BYTES = 8192
_ID = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{4}")

State = Literal["queued", "running", "done", "failed", "cancelled"]


class JobRequest(BaseModel):
    """What a job was asked to do; `job.json`."""

    model_config = ConfigDict(frozen=True)

    kind: str
    arguments: dict[str, Any]
    title: str
    by: str
    created: datetime


class JobState(BaseModel):
    """Whether a job runs; `state.json`. `result` is the name of the run to open."""

    model_config = ConfigDict(frozen=True)

    state: State = "queued"
    pid: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    result: str = ""


class JobProgress(BaseModel):
    """How far a job is; `progress.json`. `rate` in steps per second."""

    model_config = ConfigDict(frozen=True)

    stage: str
    done: int
    total: int
    rate: float | None
    seconds_left: float | None


def jobs_folder() -> Path:
    """Where jobs are kept."""
    return home() / "jobs"


@dataclass(frozen=True)
class JobFolder:
    """The files of one job."""

    path: Path

    @property
    def id(self) -> str:
        """The name of the folder; ids sort by the time of asking."""
        return self.path.name

    def asked(self) -> JobRequest:
        """What the job was asked to do."""
        return JobRequest.model_validate_json((self.path / JOB_NAME).read_bytes())

    def standing(self) -> JobState:
        """Where it stands by its own account; whether it still lives only `alive` says."""
        path = self.path / STATE_NAME
        return JobState.model_validate_json(path.read_bytes()) if path.exists() else JobState()

    def reached(self) -> JobProgress | None:
        """How far it is, once it has said so."""
        path = self.path / PROGRESS_NAME
        return JobProgress.model_validate_json(path.read_bytes()) if path.exists() else None

    def write_standing(self, standing: JobState) -> None:
        """Say where the job stands."""
        atomic.write_bytes(self.path / STATE_NAME, standing.model_dump_json().encode())

    def write_reached(self, reached: JobProgress) -> None:
        """Say how far the job is."""
        atomic.write_bytes(self.path / PROGRESS_NAME, reached.model_dump_json().encode())

    def log_tail(self) -> str:
        """The end of what the job printed, from the start of a line."""
        path = self.path / LOG_NAME
        if not path.exists():
            return ""
        with path.open("rb") as file:
            cut = max(0, path.stat().st_size - LOG_TAIL_BYTES)
            file.seek(cut)
            text = file.read().decode(errors="replace")
        return text.partition("\n")[2] if cut else text

    def alive(self) -> bool:
        """Whether a process works on it, or waits for its turn."""
        return lock.held(self.path)

    def ask_to_stop(self) -> None:
        """Leave the note that `asked_to_stop` finds."""
        (self.path / CANCEL_NAME).touch()

    def asked_to_stop(self) -> bool:
        """Whether someone cancelled the job."""
        return (self.path / CANCEL_NAME).exists()

    def forget_stop(self) -> None:
        """Take the note away: the job goes on."""
        (self.path / CANCEL_NAME).unlink(missing_ok=True)


def new_job(asked: JobRequest) -> tuple[JobFolder, int]:
    """Make the folder of a new job, locked by this process; returns it with the lock's descriptor."""
    name = f"{asked.created:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"
    folder = JobFolder(jobs_folder() / name)
    folder.path.mkdir(parents=True)
    descriptor = lock.acquire(folder.path)
    atomic.write_bytes(folder.path / JOB_NAME, asked.model_dump_json().encode())
    return folder, descriptor


def find_job(id_: str) -> JobFolder:
    """The folder of a job; raises NotFoundError."""
    folder = JobFolder(jobs_folder() / id_)
    if not _ID.fullmatch(id_) or not (folder.path / JOB_NAME).is_file():
        raise NotFoundError(f"there is no job {id_!r}; `csp jobs` lists those there are")
    return folder


def all_jobs() -> Iterator[JobFolder]:
    """The folders of all jobs that can be read, in the order in which they were asked for."""
    for path in sorted(jobs_folder().glob(f"*/{JOB_NAME}")):
        if _ID.fullmatch(path.parent.name) and _readable(JobFolder(path.parent)):
            yield JobFolder(path.parent)


def now() -> datetime:
    """The time, as jobs note it."""
    return datetime.now(UTC)


def _readable(folder: JobFolder) -> bool:
    try:
        folder.asked()
        folder.standing()
    except ValidationError:  # a damaged job must not hide the others
        return False
    return True
