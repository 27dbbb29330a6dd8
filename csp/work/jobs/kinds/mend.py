"""Jobs of the kind `mend`: write a model with some concepts switched off.

Arguments: `run`, `concepts` (names, one or more), `out` (a file), and for the record `who` and `reason`.
"""

from pathlib import Path

from csp.errors import BadInputError
from csp.keeping.home import home
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind
from csp.work.progress import Report
from csp.work.reliance.concepts import Concept, concepts, find_concept
from csp.work.reliance.mending.made import Why
from csp.work.reliance.mending.mend import foldable, together, write_mended
from csp.work.reviews.desk import open_reviewing


def run(arguments: Arguments, report: Report) -> str:
    """Write the checkpoint; returns the run's name."""
    out = Path(str(arguments["out"]))
    why = Why(str(arguments.get("who", "")), str(arguments.get("reason", "")))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_mended(open_explorer(str(arguments["run"])), _chosen(arguments), out, why, report)
    return asked_run(arguments).name


def mended_file(run: str, names: list[str]) -> Path:
    """Where a page has a checkpoint written: in `CSP_HOME/models/`, named by the run and what it lacks."""
    words = "-".join("".join(one if one.isalnum() else "-" for one in name) for name in names)[:80]
    return home() / "models" / f"{run}-without-{words}.safetensors"


def _chosen(arguments: Arguments) -> Concept:
    names = arguments.get("concepts") or []
    if not isinstance(names, list) or not names:
        raise BadInputError("name what to switch off: one concept or more")
    name = str(arguments["run"])
    found = concepts(open_explorer(name), open_reviewing(name).states())
    return together(dict.fromkeys(find_concept(found, str(one)) for one in names))


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run or concepts: there is none, or it can't be folded into the weights."""
    return run_faults(arguments) or faults_among({"concepts": lambda: _check(arguments)})


def _check(arguments: Arguments) -> None:
    chosen = _chosen(arguments)
    if not str(arguments.get("out", "")).endswith(".json"):
        foldable(asked_run(arguments), chosen)


KIND = JobKind(
    "mend",
    words="Write a mended model",
    doing="writing a model with some concepts switched off",
    what="Holds the neurons of some concepts at their mean and writes the model so, with a record of it.",
    title=lambda arguments: f"{arguments['run']} with {', '.join(arguments['concepts'])} switched off",
    run=run,
    faults=faults,
    needed=("run", "concepts", "out"),
    place=9,
)
