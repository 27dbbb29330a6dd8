"""Jobs of the kind `candidates`: ask a VLM about neurons of one layer.

Arguments: `run`, `layer`, `neurons` (`all`, `17`, `0:200` or `3,17`), `vlm`, and what else
`CandidateRequest` has (`mode`, `prompt`, `seed`, ...); `rows`, `images` and `pixels` are the layout's.
"""

import os
from dataclasses import fields

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded
from csp.keeping.bundle import BUNDLE
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.ask import generate
from csp.work.candidates.tables import CANDIDATES, SHIPPED_VLM, CandidateRequest, Layout
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.neurons.selection import choose_neurons
from csp.work.progress import Report
from csp.work.runs.spec_paths import openable_spec
from csp.world.specs.paths import split_path
from csp.world.specs.registry import VLMS

LAYOUT = ("rows", "images", "pixels")
ALLOWED = {field.name for field in fields(CandidateRequest)} - {"layout", "in_place"}


def run(arguments: Arguments, report: Report) -> str:
    """Ask, or go on asking; returns the run's name."""
    explorer = open_explorer(arguments["run"])
    neurons = _neurons(explorer.run, arguments)
    done = generate(explorer, arguments["layer"], neurons, _request(arguments), report)
    print(done.sentence, flush=True)  # noqa: T201 (a job's log)
    return explorer.run.name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with each argument; loads no model and asks no server."""
    asked = dict.fromkeys(("layer", "neurons", "vlm"), "") | dict(arguments)
    found = run_faults(asked) or faults_among({"neurons": lambda: _neurons(asked_run(asked), asked)})
    return found | _request(asked).faults() | faults_among({"vlm": lambda: check_vlm(asked["vlm"])})


def check_vlm(spec: str) -> None:
    """Raise a CspError where a spec names no VLM, or a folder that is not there; opens nothing."""
    _, name = VLMS.find(spec)
    path = split_path(openable_spec(spec))[1]
    is_path = name.startswith(("/", ".", "~")) or name.count("/") > 1
    if spec.startswith("hf:") and is_path and not expanded(path).is_dir():
        raise NotFoundError(f"There is no model folder {path} on the machine that runs this app.")
    if spec.startswith("openai:") and ("#" not in name or not name.startswith(("http://", "https://"))):
        raise BadInputError(f"'{spec}' names no server and model: write openai:http://HOST:PORT/v1#MODEL.")


def _neurons(run: Run, arguments: Arguments) -> list[int]:
    layer = run.layer(arguments["layer"])
    return choose_neurons(arguments["neurons"], layer.layer, layer.neurons)


def _request(arguments: Arguments) -> CandidateRequest:
    given = {name: value for name, value in arguments.items() if name in ALLOWED}
    layout = Layout(**{name: arguments[name] for name in LAYOUT if name in arguments})
    return CandidateRequest(**given, layout=layout)


def offered_vlm() -> str:
    """The VLM that pages offer: `CSP_VLM`, else the one shipped with the demo; "" where there is none."""
    shipped = BUNDLE / SHIPPED_VLM.removeprefix("hf:")
    return os.environ.get("CSP_VLM") or (SHIPPED_VLM if shipped.is_dir() else "")


def known_vlms(run: Run) -> tuple[str, ...]:
    """The VLM that pages offer, then those that answered about this run before."""
    before = Additions(run).read(CANDIDATES)["vlm"].unique().tolist()
    return tuple(dict.fromkeys(spec for spec in (offered_vlm(), *before) if spec))


KIND = JobKind(
    "candidates",
    words="Ask a model for labels",
    doing="asking a vision-language model",
    what="A vision-language model sees the pictures of each neuron and names up to three concepts. Every "
    "answer is kept word for word, and nothing is asked twice.",
    title=lambda arguments: f"Candidates for neurons {arguments['neurons']} of {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run", "layer", "vlm", "neurons"),
    place=2,
)
