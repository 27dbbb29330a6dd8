"""Jobs of the kind `control`: what noise gives, beside what the labels give.

Arguments: `run`, and `layer` (all of the run if left out).
"""

from csp.errors import BadInputError
from csp.work.control.control import measure_control
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.progress import Report


def run(arguments: Arguments, report: Report) -> str:
    """Measure what is missing; returns the run's name."""
    explorer = open_explorer(str(arguments["run"]))
    measure_control(explorer, report, layers=asked_layers(arguments))
    return explorer.run.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run or layer: there is none, or the run has no vocabulary."""
    return run_faults(arguments) or faults_among({"run": lambda: _check_vocabulary(arguments)})


def _check_vocabulary(arguments: Arguments) -> None:
    opened = asked_run(arguments)
    if opened.text_embeddings is None:
        raise BadInputError(f"the run {opened.name} has no vocabulary, so noise has no labels either")


KIND = JobKind(
    "control",
    words="Measure what noise gives",
    doing="measuring what noise gives",
    what="Labels the same neurons with their activations shuffled over the images: what a score or a count "
    "is worth shows beside what noise gives. New runs have it; the result joins the run.",
    title=lambda arguments: f"Control of {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run",),
    place=7,
)
