"""Jobs of the kind `add`: a run folder made elsewhere joins the runs here.

Arguments: `folder`, and `out`, the name that the run gets.
"""

from pathlib import Path

from csp.errors import BadInputError
from csp.files import expanded
from csp.keeping.library.adopt import adopt_run, check_adoptable, check_new_name
from csp.keeping.run_folder.manifest import read_manifest
from csp.work.jobs.arguments import Arguments, Faults, faults_among
from csp.work.jobs.kind import JobKind
from csp.work.progress import Report, Stage


def run(arguments: Arguments, report: Report) -> str:
    """Copy it, or go on copying; returns its name."""
    folder = _folder(arguments)
    stage = Stage("copying files", len(read_manifest(folder).files), report)
    return adopt_run(folder, str(arguments["out"]), stage.reached).name


def faults(arguments: Arguments) -> Faults:
    """What is wrong with the folder and the name."""
    return faults_among(
        {
            "folder": lambda: check_adoptable(_folder(arguments)),
            "out": lambda: check_new_name(str(arguments.get("out", ""))),
        }
    )


def _folder(arguments: Arguments) -> Path:
    """The folder; BadInputError for one that is not named in full: pages and jobs run where the app lies."""
    folder = expanded(str(arguments.get("folder", "")))
    if not folder.is_absolute():
        raise BadInputError("the folder must be named in full, such as /data/runs/my-run")
    return folder


KIND = JobKind(
    "add",
    words="Add a run",
    doing="adding a run from elsewhere",
    what="Copies a run that was made on another machine to the runs here, with what was added to it. Each "
    "file is compared with its fingerprint. To bring the run to this machine, copy its folder as it is.",
    title=lambda arguments: f"Add {arguments['out']}",
    run=run,
    faults=faults,
    needed=("folder", "out"),
    place=6,
)
