"""The job that draws the map of neurons."""

from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.neurons.concept_vectors import neurons_of
from csp.work.neurons.map import draw_map
from csp.work.progress import Report


def map_job(arguments: Arguments, report: Report) -> str:
    """The job `map`: `{"run": name or folder, "layer": one layer, or left out for all}`; returns the run."""
    run = asked_run(arguments)
    draw_map(run, asked_layers(arguments), report)
    return run.name


def map_job_faults(arguments: Arguments) -> Faults:
    """What is wrong with run or layer: there is none, or nothing to draw of it."""
    return run_faults(arguments) or faults_among({"run": lambda: _check_neurons(arguments)})


def _check_neurons(arguments: Arguments) -> None:
    run = asked_run(arguments)
    for layer in asked_layers(arguments):
        neurons_of(run, layer)
