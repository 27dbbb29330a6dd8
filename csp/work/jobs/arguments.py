"""What the arguments of jobs have in common: the run and its layers, and faults told field by field."""

from collections.abc import Callable, Mapping
from typing import Any

from csp.errors import CspError
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.run import Run

Arguments = Mapping[str, Any]
"""Plain JSON."""
Faults = dict[str, str]
"""By argument, what is wrong with it, in a sentence; empty when the job can work."""


def asked_run(arguments: Arguments) -> Run:
    """The run `arguments["run"]`, a name or a folder; raises NotFoundError, BadRunError."""
    return Run.open(find_run(str(arguments.get("run", ""))))


def asked_layers(arguments: Arguments) -> tuple[str, ...]:
    """The one layer `arguments["layer"]`; all of the run where it is left out. Raises NotFoundError."""
    run = asked_run(arguments)
    return (run.layer(str(arguments["layer"])).layer,) if "layer" in arguments else run.layers


def faults_among(checks: Mapping[str, Callable[[], object]]) -> Faults:
    """The arguments whose check raises a CspError, with its sentence."""
    found: Faults = {}
    for name, check in checks.items():
        try:
            check()
        except CspError as error:
            found[name] = str(error)
    return found


def run_faults(arguments: Arguments) -> Faults:
    """What is wrong with the run, or else with the layer."""
    return faults_among({"run": lambda: asked_run(arguments)}) or faults_among(
        {"layer": lambda: asked_layers(arguments)}
    )
