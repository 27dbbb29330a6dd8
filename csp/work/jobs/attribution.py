"""The job that measures what neurons do to the classes."""

from csp.work.attribution.measure import _check_classes, measure_attribution
from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.progress import Report


def attribution_job(arguments: Arguments, report: Report) -> str:
    """The job `push`: `{"run": name or folder, "layer": one layer, or left out for all}`."""
    run = asked_run(arguments)
    measure_attribution(run, asked_layers(arguments), report)
    return run.name


def attribution_job_faults(arguments: Arguments) -> Faults:
    """What is wrong with run or layer: there is none, or the run has no classes."""
    return run_faults(arguments) or faults_among({"run": lambda: _check_classes(asked_run(arguments))})
