"""Jobs of the kind `map`: draw the map of neurons.

Arguments: `run`, and `layer` (all of the run if left out).
"""

from csp.work.jobs.arguments import Arguments, Faults, asked_layers, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.neurons.concept_vectors import neurons_of
from csp.work.neurons.map import draw_map
from csp.work.progress import Report


def run(arguments: Arguments, report: Report) -> str:
    """Draw the map; returns the run's name."""
    opened = asked_run(arguments)
    draw_map(opened, asked_layers(arguments), report)
    return opened.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run or layer: there is none, or nothing to draw of it."""
    return run_faults(arguments) or faults_among({"run": lambda: _check_neurons(arguments)})


def _check_neurons(arguments: Arguments) -> None:
    opened = asked_run(arguments)
    for layer in asked_layers(arguments):
        neurons_of(opened, layer)


KIND = JobKind(
    "map",
    words="Draw the map",
    doing="drawing the map of neurons",
    what="Places neurons that look for alike things close together; the map joins the run.",
    title=lambda arguments: f"Map of {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run",),
    place=4,
)
