"""Jobs of the kind `evaluate`.

Arguments: `run`, `metric`, and optionally `layer` and `labelers` (all if left out), `generator` (cosy).
"""

from csp.errors import BadInputError
from csp.method.labelers.registry import LABELERS, check_labeler
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.metrics.registry import METRICS, find_metric
from csp.work.progress import Report
from csp.world.specs.registry import GENERATORS


def run(arguments: Arguments, report: Report) -> str:
    """Measure every neuron at the run's own parameters; returns the run's name."""
    explorer = open_explorer(str(arguments["run"]))
    neurons = {layer: range(explorer.run.layer(layer).neurons) for layer in asked_layers(arguments)}
    labelers = tuple(arguments.get("labelers") or LABELERS)
    request = MetricRequest(
        str(arguments["metric"]),
        labelers,
        explorer.options(),
        neurons,
        generator=arguments.get("generator"),
    )
    evaluate(explorer, request, report)
    return explorer.run.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with each argument; loads no model."""
    wrong = run_faults(arguments)
    return wrong | faults_among(
        {
            "metric": lambda: _check_metric(arguments, open_run=not wrong),
            "labelers": lambda: _check_labelers(arguments),
            "generator": lambda: _check_generator(arguments),
        }
    )


def _check_metric(arguments: Arguments, open_run: bool) -> None:
    metric = find_metric(str(arguments.get("metric", "")))
    if open_run:
        metric.check(asked_run(arguments))


def _check_labelers(arguments: Arguments) -> None:
    for name in arguments.get("labelers") or ():
        check_labeler(str(name))


def _check_generator(arguments: Arguments) -> None:
    spec = arguments.get("generator")
    if spec:
        GENERATORS.find(str(spec))
    elif (metric := METRICS.get(str(arguments.get("metric")))) and metric.makes_pictures:
        raise BadInputError(
            "This measure makes pictures from labels: say by what, for example "
            f"{' or '.join(GENERATORS.examples)}."
        )


KIND = JobKind(
    "evaluate",
    words="Measure labels",
    doing="measuring how good labels are",
    what="Measures how good labels are, or neurons without labels; the results join the run.",
    title=lambda arguments: f"Measure {arguments['metric']}, {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run", "metric"),
    place=3,
)
