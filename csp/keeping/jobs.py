"""Long jobs on disk: `CSP_HOME/jobs/ID/` with what was asked, where it stands, its log, and a lock.

| file | written by | holds |
| --- | --- | --- |
| `job.json` | who starts it, once | what was asked: kind, arguments, title, by whom |
| `state.json` | the job | queued, running, done, failed or cancelled, and when |
| `progress.json` | the job, now and then | how far it is |
| `log.txt` | the job | what it printed |
| `cancel` | who cancels it | nothing: its presence asks the job to stop |
| `lock` | the job | locked while the job lives, so that a killed job is seen to be dead |

A job is there when its `job.json` is; every file but the log is written whole. Two indexes beside the jobs
spare whoever looks from reading all that ever ran: `open/ID`, an empty file while a job has not ended, and
`about/DIGEST/ID`, one for each job about the same things (`SUBJECT`).
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from csp.errors import NotFoundError
from csp.keeping import atomic, lock
from csp.keeping.canonical_json import canonical_json
from csp.keeping.home import home

JOB_NAME, STATE_NAME, PROGRESS_NAME, LOG_NAME, CANCEL_NAME = (
    "job.json",
    "state.json",
    "progress.json",
    "log.txt",
    "cancel",
)
LOG_TAIL_BYTES = 8192
OPEN_NAME, ABOUT_NAME = "open", "about"
SUBJECT = ("run", "layer", "neurons")
"""The arguments that say what a job of a kind is about."""
FORMER_KINDS = {"push": "attribution"}
"""Kinds that had another name when jobs on disk were asked for."""
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

    @field_validator("kind")
    @classmethod
    def _by_its_name_now(cls, kind: str) -> str:
        return FORMER_KINDS.get(kind, kind)


class JobState(BaseModel):
    """Whether a job runs; `state.json`. `result` is the name of the run to open, `hopeless` whether a failed
    one can't work with what it was asked."""

    model_config = ConfigDict(frozen=True)

    state: State = "queued"
    pid: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    hopeless: bool = False
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
        """Say where the job stands; it is open until it has ended."""
        atomic.write_bytes(self.path / STATE_NAME, standing.model_dump_json().encode())
        if standing.ended is None:
            _mark(OPEN_NAME, self.id)
        else:
            (jobs_folder() / OPEN_NAME / self.id).unlink(missing_ok=True)

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
    _mark(OPEN_NAME, folder.id)
    _mark(f"{ABOUT_NAME}/{_digest(asked.kind, asked.arguments)}", folder.id)
    atomic.write_bytes(folder.path / JOB_NAME, asked.model_dump_json().encode())
    return folder, descriptor


def find_job(id_: str) -> JobFolder:
    """The folder of a job; raises NotFoundError."""
    folder = JobFolder(jobs_folder() / id_)
    if not _ID.fullmatch(id_) or not (folder.path / JOB_NAME).is_file():
        raise NotFoundError(f"there is no job {id_!r}; `csp jobs` lists those there are")
    return folder


def all_jobs() -> Iterator[JobFolder]:
    """The folders of all jobs that can be read, the newest first; each is read when its turn comes."""
    return _readable(job_ids())


def open_jobs() -> Iterator[JobFolder]:
    """Those of them that have not ended, or were killed."""
    return _readable(_ids(OPEN_NAME))


def jobs_about(kind: str, arguments: Mapping[str, Any]) -> Iterator[JobFolder]:
    """Those of a kind that are about the same run, layer and neurons."""
    return _readable(_ids(f"{ABOUT_NAME}/{_digest(kind, arguments)}"))


def job_ids() -> list[str]:
    """The ids of all jobs, the newest first; reads none of them."""
    return _ids("")


def now() -> datetime:
    """The time, as jobs note it."""
    return datetime.now(UTC)


def _ids(place: str) -> list[str]:
    """The ids in a folder of the jobs folder, the newest first."""
    try:
        names = [path.name for path in (jobs_folder() / place).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(filter(_ID.fullmatch, names), reverse=True)


def _readable(ids: Iterable[str]) -> Iterator[JobFolder]:
    for id_ in ids:
        folder = JobFolder(jobs_folder() / id_)
        try:
            folder.asked()
            folder.standing()
        except (ValidationError, FileNotFoundError):  # a damaged job must not hide the others
            continue
        yield folder


def _mark(place: str, id_: str) -> None:
    folder = jobs_folder() / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / id_).touch()


def _digest(kind: str, arguments: Mapping[str, Any]) -> str:
    subject = {"kind": kind} | {name: arguments.get(name) for name in SUBJECT}
    return hashlib.sha256(canonical_json(subject).encode()).hexdigest()[:32]
