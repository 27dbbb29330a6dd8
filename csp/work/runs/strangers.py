"""What is off for a run from elsewhere: none of its image files is read, and of its models only those are
opened that every machine knows under the same name.

    source_spec(run, ENCODERS, run.manifest.encoder)     # UnavailableError where a stranger names more
    trust_run("colleague", "Ann")                        # as an admin: opened as if made here from now on
    distrust_run("colleague", "Ann")                     # and back
"""

from pathlib import Path

from csp.errors import BadInputError, UnavailableError
from csp.keeping.bundle import ASSETS
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.manifest import Manifest, Source, read_manifest
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.trust import How, Trust, decision_on, keep_trust, trust_of
from csp.work.runs.spec_paths import openable_spec
from csp.world.specs.paths import split_path
from csp.world.specs.registry import Schemes

STRANGER = (
    "This run was not made here, so none of the files and programs that it names is opened: its own pictures "
    "and numbers are all there is to see. An admin who knows where it comes from may trust it"
)


def how_to_trust(name: str) -> str:
    """What is off for a stranger, and how to change that, in one sentence."""
    return f"{STRANGER}: on the page of runs, or by `csp runs --trust {name}`."


def is_stranger(run: Run) -> bool:
    """Whether what the run names may not be opened; asked anew each time, as trust may come and go."""
    return trust_of(run.path, run.manifest) is None


def trust_run(name_or_path: str, who: str) -> Trust:
    """Trust a run from now on; who did it, and when, is kept. Raises NotFoundError, BadRunError and
    UnavailableError where that can't be written down."""
    run = Run.open(find_run(name_or_path))
    known = trust_of(run.path, run.manifest)
    return known if known is not None else _keep(run.manifest, "trusted", run.name, who)


def distrust_run(name_or_path: str, who: str) -> Trust:
    """Open a run as a stranger from now on; who did it, and when, is kept. Raises as `trust_run`, and
    BadInputError for a run that ships with the program."""
    path = find_run(name_or_path)
    manifest = read_manifest(path)  # not opened: what makes it a stranger's may be why it is distrusted
    known = trust_of(path, manifest)
    if known is not None and known.how == "shipped":
        raise BadInputError(f"the run {path.name} comes with the program: it can't be distrusted")
    if known is None and (withdrawn := decision_on(manifest)) is not None:
        return withdrawn
    return _keep(manifest, "distrusted", path.name, who)


def _keep(manifest: Manifest, how: How, name: str, who: str) -> Trust:
    try:
        return keep_trust(manifest, how, name, who)
    except OSError as error:
        raise UnavailableError(
            f"that {name} is {how} can't be written down ({error.strerror or error}): make room or "
            "allow writing, then repeat it"
        ) from None


def source_spec(run: Run, kind: Schemes, source: Source) -> str:
    """The spec to open a source of the run by; UnavailableError where a stranger names more than it may."""
    if source.spec and is_stranger(run) and not _is_common(kind, source.spec):
        raise UnavailableError(
            f"the run {run.name} was not made here, so the {kind.what} that it names ({source.spec}) is not "
            f"opened; an admin may trust the run: `csp runs --trust {run.name}`"
        )
    return openable_spec(source.spec)


def _is_common(kind: Schemes, spec: str) -> bool:
    """Whether it names something published, by an adapter of the program, or a file that ships with it."""
    name, _, rest = spec.partition(":")
    if name not in kind or name in kind.packages:
        return False
    path = split_path(openable_spec(spec))[1]
    return kind[name].is_published(rest) or (bool(path) and _ships(Path(path)))


def _ships(path: Path) -> bool:
    return path.is_absolute() and path.resolve().is_relative_to(ASSETS.resolve())
