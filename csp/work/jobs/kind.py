"""What a kind of job is: its work, the check before it, and how people are told of it.

Each kind declares itself in a module of its own in `kinds/`, as `KIND`; `registry.py` collects them. The work
runs in the job's own process and may load models; the check runs in the process of the page or command that
asks, so it is quick and loads none. Arguments are plain JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass

from csp.work.jobs.arguments import Arguments, Faults
from csp.work.progress import Report


@dataclass(frozen=True)
class Next:
    """The job that one leads to, once it is done: the button, what to know before, kind and arguments; the
    run that came of it, if that is there."""

    button: str
    remark: str
    kind: str
    arguments: Arguments
    made: str = ""


@dataclass(frozen=True)
class JobKind:
    """One kind of job."""

    name: str
    """In `job.json` and in addresses."""
    words: str
    """What it does, as one chooses it: "Draw the map"."""
    doing: str
    """The same while it waits or works: "drawing the map of neurons"."""
    what: str
    """One or two sentences: what comes of it?"""
    title: Callable[[Arguments], str]
    """What a job with these arguments is called in lists."""
    run: Callable[[Arguments, Report], str]
    """The work; gives the name of the run to open. Stopped at any moment, it keeps what it computed, and goes
    on from there when called again."""
    faults: Callable[[Arguments], Faults]
    """What is wrong with each argument."""
    needed: tuple[str, ...]
    """Arguments that must be there."""
    on_trial: Callable[[Arguments], None] | None = None
    """Opens all that the arguments name, in a process of its own; raises a CspError."""
    leads_to: Callable[[Arguments], Next | None] = lambda _: None
    """What is done with what it made, where that is another job; None where that is gone."""
    place: int = 0
    """Among the kinds."""


def where(arguments: Arguments) -> str:
    """The layer and run that a job is about, in words."""
    return f"{arguments.get('layer', 'every layer')} of {arguments['run']}"
