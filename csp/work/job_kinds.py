"""What kinds of long jobs there are.

    KINDS["index"] = JobKind(run="csp.work.job_index:run", check="csp.work.job_index:check", ...)

`run(arguments, report)` does the work in the job's own process and returns the name of the run to open.
`check(arguments)` raises a CspError for arguments that can't work; it is called before anything starts, in
the process of the page or command that asks, so it is quick and loads no model. Arguments are plain JSON.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csp.errors import BadInputError
from csp.work.progress import Report

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class JobKind:
    """One kind of job: `module:function` of its work and of the check before it, and what it is called."""

    name: str
    run: str
    check: str


KINDS: dict[str, JobKind] = {
    "index": JobKind("making a run", run="csp.work.job_index:run", check="csp.work.job_index:check"),
    "candidates": JobKind(
        "asking a vision-language model",
        run="csp.work.job_candidates:run",
        check="csp.work.job_candidates:check",
    ),
    "evaluate": JobKind(
        "measuring how good labels are", run="csp.work.job_evaluate:run", check="csp.work.job_evaluate:check"
    ),
    "map": JobKind(
        "drawing the map of neurons",
        run="csp.work.neuron_map:map_job",
        check="csp.work.neuron_map:check_map_job",
    ),
    "push": JobKind(
        "measuring class push",
        run="csp.work.push_measuring:push_job",
        check="csp.work.push_measuring:check_push_job",
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


def check_arguments(kind: str, arguments: Arguments) -> None:
    """Raise a CspError when a job of this kind can't work with these arguments."""
    _function(find_kind(kind).check)(arguments)


def run_kind(kind: str, arguments: Arguments, report: Report) -> str:
    """Do the work; returns the name of the run to open."""
    return str(_function(find_kind(kind).run)(arguments, report))


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
