"""Jobs of the kind `control`: what noise gives, beside what the labels give.

Arguments: `run`, `layer` (all of the run if left out), and `random_weights`: true for what the layers give
with random weights, too (all images once more through the model).
"""

from csp.errors import BadInputError
from csp.work.control.control import measure_control
from csp.work.control.untrained import measure_untrained
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.progress import Report


def run(arguments: Arguments, report: Report) -> str:
    """Measure what is missing; returns the run's name."""
    explorer = open_explorer(str(arguments["run"]))
    measure_control(explorer, report, layers=asked_layers(arguments))
    if arguments.get("random_weights"):
        measure_untrained(explorer, report, layers=asked_layers(arguments))
    return explorer.run.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong: there is no such run or layer, or it lacks a vocabulary, or the model that is asked."""
    return run_faults(arguments) or faults_among(
        {
            "run": lambda: _check_vocabulary(arguments),
            "random_weights": lambda: _check_model(arguments),
        }
    )


def _check_vocabulary(arguments: Arguments) -> None:
    opened = asked_run(arguments)
    if opened.text_embeddings is None:
        raise BadInputError(f"the run {opened.name} has no vocabulary, so noise has no labels either")


def _check_model(arguments: Arguments) -> None:
    asked, opened = arguments.get("random_weights", False), asked_run(arguments)
    if not isinstance(asked, bool):
        raise BadInputError(f"random_weights must be true or false, not {asked!r}")
    if asked and not opened.manifest.target.spec:
        raise BadInputError(f"the run {opened.name} does not name its model, so there is none to draw anew")


KIND = JobKind(
    "control",
    words="Measure what noise gives",
    doing="measuring what noise gives",
    what="Labels the same neurons with their activations shuffled over the images: what a score or a count "
    "is worth shows beside what noise gives. New runs have it. With random weights also what the same layers "
    "give before anything is learnt. The result joins the run.",
    title=lambda arguments: f"Control of {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run",),
    place=7,
)
