"""Jobs of the kind `index`: their arguments are the fields of `IndexSpec`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded
from csp.keeping.run_folder.manifest import MANIFEST_NAME
from csp.work.indexing.index import index, open_job
from csp.work.indexing.spec import field_faults, make_spec
from csp.work.indexing.vocabulary_file import read_vocabulary
from csp.work.jobs.arguments import Arguments, Faults, faults_among
from csp.work.jobs.kind import JobKind
from csp.work.progress import Report
from csp.work.runs.spec_paths import destination, openable_spec
from csp.world.protocols.dataset import open_dataset
from csp.world.protocols.target import open_target
from csp.world.specs.paths import split_path
from csp.world.specs.registry import ENCODERS, TARGETS


def run(arguments: Arguments, report: Report) -> str:
    """Make the run, or go on making it; returns its name."""
    return index(make_spec(arguments), report).name


def open_everything(arguments: Arguments) -> None:
    """Raise a CspError when the models, layers, images or vocabulary can't be opened; loads the models."""
    open_job(make_spec(arguments))


def layers_of(model: str) -> list[dict[str, str]]:
    """The layers of a target model that can be read: `layer`, `type` and `shape`; loads the model."""
    infos = open_target(openable_spec(model)).layers()
    return [
        {"layer": info.layer, "type": info.type, "shape": " x ".join(map(str, info.shape))} for info in infos
    ]


def faults(arguments: Arguments) -> Faults:
    """What is wrong with each field, in a sentence: how it is written, and whether it names something."""
    found = field_faults(arguments)
    given = {field: arguments.get(field) for field in FIELDS if field not in found}
    checks = {field: partial(FIELDS[field], value) for field, value in given.items() if value}
    return found | faults_among(checks)


def _check_model(spec: str) -> None:
    TARGETS.find(spec)
    check_path(spec)


def _check_encoder(spec: str) -> None:
    ENCODERS.find(spec)
    check_path(spec)


def check_path(spec: str) -> None:
    """A spec that holds a path must name something that is there."""
    before, path = split_path(openable_spec(spec))
    is_path = path.startswith(("/", ".", "~")) or before.endswith(("@", "local-dir:"))
    if path and is_path and not expanded(path).exists():
        raise NotFoundError(f"There is no file or folder {path} on the machine that runs this app.")


def check_new_run(out: str) -> None:
    """Raise BadInputError for the name of a run that is there, or that can't be one's name."""
    if (destination(out) / MANIFEST_NAME).is_file():
        raise BadInputError(f"There is a run called {out} already; choose another name.")


FIELDS: Mapping[str, Callable[[Any], object]] = {
    "model": _check_model,
    "data": lambda spec: open_dataset(openable_spec(spec)),
    "encoder": _check_encoder,
    "vocabulary": lambda path: read_vocabulary(expanded(path)),
    "out": check_new_run,
}


KIND = JobKind(
    "index",
    words="Make a run",
    doing="making a run",
    what="Every image goes once through the model and the encoder; the run that comes of it opens anywhere.",
    title=lambda arguments: f"Run {arguments['out']}",
    run=run,
    faults=faults,
    needed=("model", "data", "encoder", "out", "layers"),
    on_trial=open_everything,
    place=1,
)
