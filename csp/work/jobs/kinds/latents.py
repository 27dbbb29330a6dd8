"""Jobs of the kind `latents`: the latents of an SAE over the images of a run, as a run of their own.

Arguments: `run`, `sae` (`LAYER=SPEC`, as `csp index --sae` takes it), and `out`, the name of the new run.
"""

from csp.work.indexing.latents import index_latents
from csp.work.jobs.arguments import Arguments, Faults, asked_run, faults_among, run_faults
from csp.work.jobs.kind import JobKind
from csp.work.jobs.kinds.index import check_new_run, check_path
from csp.work.jobs.kinds.sae import check_model
from csp.work.progress import Report
from csp.world.protocols.sae import read_sae
from csp.world.specs.registry import SAES


def run(arguments: Arguments, report: Report) -> str:
    """Make the run, or go on making it; returns its name."""
    opened = asked_run(arguments)
    return index_latents(opened, str(arguments["sae"]), str(arguments["out"]), report).name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with the run, the SAE or the name."""
    return run_faults(arguments) or faults_among(
        {
            "run": lambda: check_model(arguments),
            "sae": lambda: _check_sae(arguments),
            "out": lambda: check_new_run(str(arguments.get("out", ""))),
        }
    )


def _check_sae(arguments: Arguments) -> None:
    if not arguments.get("sae"):
        return
    spec = read_sae(str(arguments["sae"]))[1]
    SAES.find(spec)
    check_path(spec)


KIND = JobKind(
    "latents",
    words="Look at an SAE's latents",
    doing="making a run of an SAE's latents",
    what="Makes a run whose neurons are the latents of a sparse autoencoder, with images, encoder and labels "
    "to choose from of a run that is here. The model reads the images once more.",
    title=lambda arguments: f"Run {arguments['out']}: latents of an SAE on {arguments['run']}",
    run=run,
    faults=faults,
    needed=("run", "sae", "out"),
    place=11,
)
