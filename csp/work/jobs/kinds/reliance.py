"""Jobs of the kind `reliance`: run the model without the concepts that the run alone can't tell about.

Arguments: `run`.
"""

from csp.keeping.reviews.store import open_reviews
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind
from csp.work.models.reopen import expect_model
from csp.work.progress import Report
from csp.work.reliance.heads import check_answers
from csp.work.reliance.reliance import measure_untested
from csp.work.reviews.desk import ReviewDesk


def run(arguments: Arguments, report: Report) -> str:
    """Measure what is missing; returns the run's name."""
    explorer = open_explorer(str(arguments["run"]))
    with open_reviews() as reviews:
        states = ReviewDesk(explorer.run, reviews).states()
    measure_untested(explorer, states, report=report)
    return explorer.run.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with the run: there is none, or it holds no answers or names no model."""
    return run_faults(arguments) or faults_among({"run": lambda: _check(asked_run(arguments))})


def _check(run: Run) -> None:
    check_answers(run)
    expect_model(run)


KIND = JobKind(
    "reliance",
    words="Measure what the model leans on",
    doing="switching concepts off in the model",
    what="Runs the model with the neurons of each concept switched off that the run alone can't tell about; "
    "what it then says joins the run.",
    title=lambda arguments: f"What {arguments['run']} leans on",
    run=run,
    faults=faults,
    needed=("run",),
    place=7,
)
