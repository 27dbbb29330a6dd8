"""Jobs of the kind `attribution`: measure what neurons do to the classes.

Arguments: `run`, and `layer` (all of the run if left out).
"""

from csp.keeping.run_folder.run import Run
from csp.work.attribution.measure import check_classes, measure_attribution
from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.models.reopen import expect_model
from csp.work.progress import Report


def run(arguments: Arguments, report: Report) -> str:
    """Measure what is missing; returns the run's name."""
    opened = asked_run(arguments)
    measure_attribution(opened, asked_layers(arguments), report)
    return opened.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run or layer: there is none, or the run has no classes or names no model."""
    return run_faults(arguments) or faults_among({"run": lambda: _check(asked_run(arguments))})


def _check(run: Run) -> None:
    check_classes(run)
    expect_model(run)


KIND = JobKind(
    "attribution",
    words="Measure attribution to classes",
    doing="measuring what neurons push the classes",
    what="Measures with the model how much each neuron pushes towards each class; the result joins the run.",
    title=lambda arguments: f"Attribution of {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run",),
    place=5,
)
