"""Runs that a person deleted: moved to `CSP_HOME/trash/`, whole, from where they can be put back.

Nothing is erased: that is left to whoever keeps the machine. The review record is no part of a run and stays.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from csp.errors import BadInputError, NotFoundError
from csp.keeping import atomic
from csp.keeping.home import home, runs_folder
from csp.keeping.library.find import named_run
from csp.keeping.library.mirrors import forget_mirror
from csp.keeping.run_folder.mirror import mirror_in

_DISCARDED = re.compile(r"(?P<name>.+)--\d{8}-\d{6}")


def trash_folder() -> Path:
    """Where deleted runs lie."""
    return home() / "trash"


def may_discard(run: Path) -> bool:
    """Whether a run lies in the runs folder; one that ships with the program stays."""
    return run.parent == runs_folder()


def discard_run(name: str) -> Path:
    """Move the run `name` to the trash; returns where it lies now.

    Raises
    ------
    NotFoundError
        No run has this name.
    BadInputError
        The run ships with the program, or lies on a server.
    """
    run = named_run(name)
    if mirror := mirror_in(run):
        raise BadInputError(
            f"the run {name} lies at {mirror.address}: `csp runs --forget {name}` forgets it here"
        )
    if not may_discard(run):
        raise BadInputError(f"the run {name} ships with the program and can't be deleted")
    trash_folder().mkdir(exist_ok=True)
    place = trash_folder() / f"{name}--{datetime.now(UTC):%Y%m%d-%H%M%S}"
    atomic.publish(run, place)
    atomic.sync(run.parent)
    return place


def forget_run(name: str) -> None:
    """Delete what was fetched of the run `name` on a server; reviews and what was worked out stay.

    Raises as `named_run` and `forget_mirror`.
    """
    forget_mirror(named_run(name))


def discarded_runs() -> tuple[Path, ...]:
    """The runs in the trash, the latest first."""
    found = [path for path in trash_folder().glob("*") if _DISCARDED.fullmatch(path.name)]
    return tuple(sorted(found, key=lambda path: path.name[-15:], reverse=True))


def restore_run(place: str) -> str:
    """Put a run back from the trash, named by its folder there; returns the run's name.

    Raises NotFoundError when it is not in the trash, BadInputError when a run has taken its name.
    """
    found = [path for path in discarded_runs() if path.name == place]
    if not found:
        raise NotFoundError(f"there is no {place!r} in {trash_folder()}")
    name = discarded_name(found[0])
    if (runs_folder() / name).exists():
        raise BadInputError(f"there is a run called {name} again: rename one of the two folders")
    atomic.publish(found[0], runs_folder() / name)
    return name


def discarded_name(place: Path) -> str:
    """The name that a run in the trash had."""
    match = _DISCARDED.fullmatch(place.name)
    return match["name"] if match else place.name
