"""Jobs of the kind `sae`: a sparse autoencoder learns on what a layer of a run gives.

Arguments: `run`, `layer`, `out` (a name), what `SaePlan` takes (`kind`, `latents`, `active`, `penalty`,
`epochs`, ...), and `positions` of each image.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import chain, count
from pathlib import Path

from csp.errors import BadInputError, CspError
from csp.files import read_regular
from csp.keeping.home import home, runs_folder
from csp.keeping.run_folder.manifest import read_manifest
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind, Next, where
from csp.work.models.train_sae import train_sae
from csp.work.progress import Report
from csp.work.runs.spec_paths import portable_spec
from csp.world.protocols.sae import read_sae
from csp.world.saes.plan import SaePlan
from csp.world.saes.quality import SaeQuality, read_quality

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
POSITIONS = 16


@dataclass(frozen=True)
class TrainedSae:
    """An SAE that was trained here: what `--sae` takes, what it was trained on, and how good it is
    (`SaeQuality`)."""

    spec: str
    run: str
    layer: str
    quality: SaeQuality

    @property
    def name(self) -> str:
        """As it was asked for."""
        return Path(self.spec.partition("=")[2]).stem


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
            layer, path = said["layer"], file.with_suffix(".safetensors")
            found.append(
                TrainedSae(f"{layer}=overcomplete:{path}", said["run"], layer, read_quality(said["quality"]))
            )
        except (OSError, ValueError, LookupError, TypeError, OverflowError):
            continue
    return tuple(found)


def its_latents(arguments: Arguments) -> Next | None:
    """What a trained SAE is for: a run of its latents, called as it is."""
    trained = next((one for one in trained_saes() if one.name == arguments["out"]), None)
    if trained is None:
        return None
    name, made = _its_run(trained)
    asked = {"run": arguments["run"], "sae": trained.spec, "out": name}
    return Next("Look at its latents", trained.quality.sentence, "latents", asked, name if made else "")


def _its_run(trained: TrainedSae) -> tuple[str, bool]:
    """The name of the run of its latents, numbered where another has it; whether that run is there."""
    names = chain([trained.name], (f"{trained.name}-{number}" for number in count(2)))
    for name in names:
        folder = runs_folder() / name
        if not folder.exists():
            return name, False
        with suppress(CspError):
            specs = [one.sae.spec for one in read_manifest(folder).layers if one.sae]
            if portable_spec(read_sae(trained.spec)[1]) in specs:
                return name, True
    raise AssertionError("numbers do not end")


def faults(arguments: Arguments) -> Faults:
    """What is wrong with run, layer, name or plan."""
    return run_faults(arguments) or faults_among(
        {
            "run": lambda: check_model(arguments),
            "out": lambda: _check_out(str(arguments.get("out", ""))),
            "active": lambda: _plan(arguments),
        }
    )


def _plan(arguments: Arguments) -> SaePlan:
    names = {one.name for one in fields(SaePlan)}
    return SaePlan(**{name: value for name, value in arguments.items() if name in names})


def check_model(arguments: Arguments) -> None:
    """Raise BadInputError for a run that does not name its model."""
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
    "reads the run's images; a tenth is held out to say how good it is. Its latents make a run of their own.",
    title=lambda arguments: f"SAE {arguments['out']} on {where(arguments)}",
    run=run,
    faults=faults,
    needed=("run", "layer", "out"),
    leads_to=its_latents,
    place=10,
)
