"""The kinds of jobs that can be started, and the one check of what a job is asked to do."""

from dataclasses import dataclass
from functools import partial

from csp.errors import BadInputError
from csp.plugins import Registry, declared
from csp.work.jobs.arguments import Arguments, Faults
from csp.work.jobs.kind import JobKind, Next

MADE = "out"
"""The argument that says what a job makes, in every kind that makes something new."""
NEEDED = "This must be filled in."
KINDS = Registry("kind of job", None, JobKind, partial(declared, "csp.work.jobs.kinds", "KIND"))


class FaultyJobError(BadInputError):
    """A job can't work with the arguments given; `faults` says of each what is wrong."""

    def __init__(self, faults: Faults) -> None:
        name, fault = next(iter(faults.items()))
        super().__init__(f"{name} is missing" if fault == NEEDED else fault)
        self.faults = faults


@dataclass(frozen=True)
class CheckedJob:
    """What a job is asked to do, once it is known that it can work: `check_job` makes it."""

    kind: JobKind
    arguments: Arguments


def find_kind(name: str) -> JobKind:
    """The kind called `name`; BadInputError names those there are."""
    if name not in KINDS:
        raise BadInputError(f"there is no kind of job {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


def doing(name: str) -> str:
    """What a job of a kind does, in words; the kind's own name where this version does not know it."""
    return KINDS[name].doing if name in KINDS else name


def leads_to(name: str, arguments: Arguments) -> Next | None:
    """The job that a done one of this kind leads to; None where there is none."""
    return KINDS[name].leads_to(arguments) if name in KINDS else None


def still_wrong(kind: str, arguments: Arguments) -> Faults:
    """What is wrong now with a job that was started; where it makes what it makes may be taken by itself."""
    if kind not in KINDS:
        return {}
    return {name: fault for name, fault in KINDS[kind].faults(arguments).items() if name != MADE}


def check_job(kind: str, arguments: Arguments) -> CheckedJob:
    """A job that can work; raises FaultyJobError, and BadInputError for an unknown kind."""
    found = find_kind(kind)
    missing = {name: NEEDED for name in found.needed if not arguments.get(name)}
    if faults := {**found.faults(arguments), **missing}:
        raise FaultyJobError(faults)
    return CheckedJob(found, arguments)
