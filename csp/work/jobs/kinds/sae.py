"""Jobs of the kind `sae`: a sparse autoencoder learns on what a layer of a run gives.

Arguments: `run`, `layer`, `out` (a name), what `SaePlan` takes (`kind`, `latents`, `active`, `penalty`,
`epochs`, ...), and `positions` of each image.
"""

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

from csp.errors import BadInputError
from csp.files import read_regular
from csp.keeping.home import home
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, where
from csp.work.models.train_sae import train_sae
from csp.work.progress import Report
from csp.world.saes.plan import SaePlan

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
POSITIONS = 16


@dataclass(frozen=True)
class TrainedSae:
    """An SAE that was trained here: what `--sae` takes, what it was trained on, and how good it is on images
    held out: the share of variance explained, latents above 0 at a position, the share that never fires."""

    spec: str
    run: str
    layer: str
    explained: float
    l0: float
    dead: float


def run(arguments: Arguments, report: Report) -> str:
    """Train, or go on training; returns the run's name."""
    opened = asked_run(arguments)
    out = sae_file(str(arguments["out"]))
    out.parent.mkdir(parents=True, exist_ok=True)
    positions = int(arguments.get("positions", POSITIONS))
    train_sae(opened, str(arguments["layer"]), _plan(arguments), out, report, positions=positions)
    return opened.name


def sae_file(name: str) -> Path:
    """Where an SAE of that name lies: in `CSP_HOME/saes/`."""
    return home() / "saes" / f"{name}.safetensors"


def trained_saes() -> tuple[TrainedSae, ...]:
    """Those that were trained by jobs, by name; what can't be read is passed over."""
    found = []
    for file in sorted((home() / "saes").glob("*.json")):
        try:
            said = json.loads(read_regular(file))
            layer, quality, path = said["layer"], said["quality"], file.with_suffix(".safetensors")
            numbers = {name: float(quality[name]) for name in ("explained", "l0", "dead")}
            found.append(TrainedSae(f"{layer}=overcomplete:{path}", said["run"], layer, **numbers))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return tuple(found)


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run, layer, name or plan."""
    return run_faults(arguments) or faults_among(
        {
            "run": lambda: _check_model(arguments),
            "out": lambda: _check_out(str(arguments.get("out", ""))),
            "active": lambda: _plan(arguments),
        }
    )


def _plan(arguments: Arguments) -> SaePlan:
    names = {one.name for one in fields(SaePlan)}
    return SaePlan(**{name: value for name, value in arguments.items() if name in names})


def _check_model(arguments: Arguments) -> None:
    opened = asked_run(arguments)
    if not opened.manifest.target.spec:
        raise BadInputError(f"the run {opened.name} does not name its model, so nothing can be read from it")


def _check_out(name: str) -> None:
    if name and not NAME.fullmatch(name):
        raise BadInputError(
            f"{name!r} can't be the name of an SAE: use letters, digits, '.', '_' and '-', starting with a "
            "letter or digit"
        )
    if sae_file(name).exists():
        raise BadInputError(f"there is an SAE called {name} already; choose another name")


KIND = JobKind(
    "sae",
    words="Train a sparse autoencoder",
    doing="training a sparse autoencoder",
    what="Splits what a layer gives at each position into more directions, few of them on at once. The model "
    "reads the run's images; a tenth is held out to say how good it is. A new run with it shows its latents.",
    title=lambda arguments: f"SAE {arguments['out']} on {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run", "layer", "out"),
    place=10,
)
