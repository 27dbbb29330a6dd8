"""Adds a run folder that was made elsewhere to the runs of this machine: copied whole, or not at all.

Only what the manifest lists is taken, file by file compared with its hash, and the tables that were added to
the run. A stopped copy goes on where it was.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from csp.errors import BadInputError, BadRunError
from csp.keeping import atomic
from csp.keeping.home import runs_folder
from csp.keeping.library.find import list_runs, run_destination
from csp.keeping.run_folder.integrity import record_file
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord, read_manifest

ADDITIONS = "additions"


def check_adoptable(folder: Path) -> None:
    """Raise BadRunError for a folder that is no run that can be read here, is not whole, or leads outside."""
    if folder.resolve().is_relative_to(runs_folder().resolve()):
        raise BadInputError(f"{folder} lies among the runs of this machine already")
    for name, recorded in read_manifest(folder).files.items():
        path = _inside(folder, name)
        if not path.is_file():
            raise BadRunError(f"{folder} is not whole: {name} is missing; copy the run again")
        if path.stat().st_size != recorded.bytes:
            raise BadRunError(f"{folder} is not whole: {name} has the wrong length; copy the run again")
    for _ in _added(folder):
        pass


def check_new_name(name: str) -> Path:
    """Where a new run of this name goes; BadInputError when it can't be a name, or is taken."""
    place = run_destination(name)
    if place.parent != runs_folder():
        raise BadInputError(f"{name!r} is a path: write a name alone")
    if place.exists() or name in {run.name for run in list_runs()}:
        raise BadInputError(f"there is a run called {name} already; choose another name")
    return place


def adopt_run(folder: Path, name: str, copied: Callable[[int], None]) -> Path:
    """Copy the run in `folder` to the runs folder as `name`; tells how many files it copied after each.

    Raises BadInputError and BadRunError as the two checks do, and BadRunError for a file that was changed.
    """
    place = check_new_name(name)
    check_adoptable(folder)
    manifest = read_manifest(folder)
    stage = place.with_name(f"{atomic.TEMPORARY}{name}-{manifest.fingerprint[:12]}")
    for done, (part, recorded) in enumerate(manifest.files.items(), start=1):
        _copy(folder / part, stage / part, recorded)
        copied(done)
    for path in (*_added(folder), folder / MANIFEST_NAME):
        _copy(path, stage / path.relative_to(folder), None)
    atomic.sync_tree(stage)
    atomic.publish(stage, place)
    return place


def _added(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / ADDITIONS).glob("*/[!.]*.parquet")):
        yield _inside(folder, path.relative_to(folder).as_posix())


def _inside(folder: Path, name: str) -> Path:
    """The file `name` of the folder; BadRunError when the name, or a link, leads out of it."""
    path = folder / name
    if PurePosixPath(name).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise BadRunError(f"{folder} can't be added: {name} leads out of the folder")
    return path


def _copy(source: Path, target: Path, recorded: FileRecord | None) -> None:
    """Copy a file unless it is there already; BadRunError when it is not the one that was recorded."""
    if recorded is not None and target.is_file() and record_file(target) == recorded:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if recorded is not None and record_file(target) != recorded:
        raise BadRunError(f"{source} was changed after the run was made; copy the run again")
