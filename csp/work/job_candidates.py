"""Jobs of the kind `candidates`: ask a VLM about neurons of one layer.

Arguments: `run`, `layer`, `neurons` (a list of numbers), `vlm`, and what else `Request` has (`mode`,
`prompt`, `seed`, ...); `rows`, `images` and `pixels` are the layout's.
"""

import os
from dataclasses import fields
from pathlib import Path

from csp.errors import BadInputError, NotFoundError
from csp.keeping.home import REPOSITORY, find_run
from csp.keeping.run import Run
from csp.work.candidate_generation import generate
from csp.work.candidate_tables import SHIPPED_VLM, Layout, Request
from csp.work.explorer import open_explorer
from csp.work.job_kinds import Arguments
from csp.work.progress import Report
from csp.work.spec_paths import openable_spec, split_path
from csp.world.specs import find_adapter
from csp.world.vlm import VLMS

LAYOUT = ("rows", "images", "pixels")
ALLOWED = {field.name for field in fields(Request)} - {"layout", "in_place"}


def run(arguments: Arguments, report: Report) -> str:
    """Ask, or go on asking; returns the run's name."""
    explorer = open_explorer(arguments["run"])
    done = generate(explorer, arguments["layer"], arguments["neurons"], _request(arguments), report)
    print(done.sentence, flush=True)  # noqa: T201 (a job's log)
    return explorer.run.name


def check(arguments: Arguments) -> None:
    """Raise a CspError for arguments that can't work; loads no model and asks no server."""
    if missing := {"run", "layer", "neurons", "vlm"} - set(arguments):
        raise BadInputError(f"the job lacks {', '.join(sorted(missing))}")
    opened = Run.open(find_run(arguments["run"]))
    count = opened.layer(arguments["layer"]).neurons
    if not arguments["neurons"] or not all(0 <= neuron < count for neuron in arguments["neurons"]):
        raise NotFoundError(f"layer {arguments['layer']} has neurons 0 to {count - 1}; name at least one")
    _request(arguments).check()
    check_vlm(arguments["vlm"])


def check_vlm(spec: str) -> None:
    """Raise a CspError where a spec names no VLM, or a folder that is not there; opens nothing."""
    _, name = find_adapter(spec, VLMS, "VLM")
    path = split_path(openable_spec(spec))[1]
    is_path = name.startswith(("/", ".", "~")) or name.count("/") > 1
    if spec.startswith("hf:") and is_path and not Path(path).expanduser().is_dir():
        raise NotFoundError(f"There is no model folder {path} on the machine that runs this app.")
    if spec.startswith("openai:") and ("#" not in name or not name.startswith(("http://", "https://"))):
        raise BadInputError(f"'{spec}' names no server and model: write openai:http://HOST:PORT/v1#MODEL.")


def _request(arguments: Arguments) -> Request:
    given = {name: value for name, value in arguments.items() if name in ALLOWED}
    layout = Layout(**{name: arguments[name] for name in LAYOUT if name in arguments})
    return Request(**given, layout=layout)


def offered_vlm() -> str:
    """The VLM that pages offer: `CSP_VLM`, else the one shipped with the demo; "" where there is none."""
    shipped = REPOSITORY / SHIPPED_VLM.removeprefix("hf:")
    return os.environ.get("CSP_VLM") or (SHIPPED_VLM if shipped.is_dir() else "")
