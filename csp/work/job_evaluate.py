"""Jobs of the kind `evaluate`: arguments `run`, `metric`, and optionally `labelers` (all if left out)."""

from csp.method.labelers import LABELERS, check_labeler
from csp.work.evaluation import evaluate
from csp.work.explorer import open_explorer
from csp.work.job_kinds import Arguments
from csp.work.measuring import Request
from csp.work.metrics import find_metric
from csp.work.progress import Report


def run(arguments: Arguments, report: Report) -> str:
    """Measure every neuron of the run at its own parameters; returns the run's name."""
    explorer = open_explorer(str(arguments["run"]))
    neurons = {record.layer: range(record.neurons) for record in explorer.run.manifest.layers}
    labelers = tuple(arguments.get("labelers") or LABELERS)
    evaluate(explorer, Request(str(arguments["metric"]), labelers, explorer.choice(), neurons), report)
    return explorer.run.name


def check(arguments: Arguments) -> None:
    """Raise a CspError for a run, metric or labeler that does not exist."""
    open_explorer(str(arguments.get("run", "")))
    find_metric(str(arguments.get("metric", "")))
    for name in arguments.get("labelers") or ():
        check_labeler(str(name))
