"""What kinds of long jobs there are.

    KINDS["index"] = _kind("making a run", "csp.work.jobs.index")

`run(arguments, report)` does the work in the job's own process and returns the name of the run to open.
`faults(arguments)` says what is wrong with each argument; it is asked before anything starts, in the process
of the page or command that asks, so it is quick and loads no model. Arguments are plain JSON.
"""

import importlib
from dataclasses import dataclass
from typing import Any, cast

from csp.errors import BadInputError
from csp.work.jobs.arguments import Arguments, Faults
from csp.work.progress import Report


@dataclass(frozen=True)
class JobKind:
    """One kind of job: what it is called, `module:function` of its work and of the check before it."""

    name: str
    run: str
    faults: str


def _kind(name: str, module: str) -> JobKind:
    return JobKind(name, f"{module}:run", f"{module}:faults")


KINDS: dict[str, JobKind] = {
    "index": _kind("making a run", "csp.work.jobs.index"),
    "add": _kind("adding a run from elsewhere", "csp.work.jobs.add"),
    "candidates": _kind("asking a vision-language model", "csp.work.jobs.candidates"),
    "evaluate": _kind("measuring how good labels are", "csp.work.jobs.evaluate"),
    "map": JobKind(
        "drawing the map of neurons",
        run="csp.work.neurons.map:map_job",
        faults="csp.work.neurons.map:map_job_faults",
    ),
    "push": JobKind(
        "measuring class push",
        run="csp.work.attribution.measure:push_job",
        faults="csp.work.attribution.measure:push_job_faults",
    ),
}


def find_kind(name: str) -> JobKind:
    """The kind called `name`; BadInputError names those there are."""
    if name not in KINDS:
        raise BadInputError(f"there is no kind of job {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


def kind_name(name: str) -> str:
    """What a kind is called on screen; its own name where this version does not know it."""
    return KINDS[name].name if name in KINDS else name


def faults_of(kind: str, arguments: Arguments) -> Faults:
    """What is wrong with each argument of a job of this kind; empty when it can work."""
    return cast(Faults, _function(find_kind(kind).faults)(arguments))


def check_arguments(kind: str, arguments: Arguments) -> None:
    """Raise BadInputError with the first fault, when a job of this kind can't work with these arguments."""
    for fault in faults_of(kind, arguments).values():
        raise BadInputError(fault)


def run_kind(kind: str, arguments: Arguments, report: Report) -> str:
    """Do the work; returns the name of the run to open."""
    return str(_function(find_kind(kind).run)(arguments, report))


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
