"""Does damage ever change what is shown without anybody saying so, and does a kill ever lose what was kept?

    python -m benchmarks.faults [--flips 1000 --changes 200 --run-flips 300 --edits 25 --kills 30] [--seed 0]
                                [--only record changes run manifest indexing ...] [--resume FILE]

Campaigns: random bits of a review record in SQLite (`record`) and deliberate changes of it (`changes`), the
same in PostgreSQL where Debian's is installed (`values`: random bits of stored values; `postgresql`); random
bits of a run's files (`run`) and edits of its manifest (`manifest`); `kill -9` in the middle of `indexing`,
`copying`, `evaluating`, `writing` and `writing-postgresql`.

Each thing tried is *found* (a sentence says that something is damaged; after a kill: the rest was done, and
all is as without it), *harmless* (all that is shown is as before; a kill: it came too late), *lost*
(something else is shown, and nothing says so) or a *traceback*. `ratio` is the share that is neither lost
nor a traceback. `--resume` keeps what each campaign found in a file, and leaves out those that it holds.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.damage import kills, records, runs
from benchmarks.damage.tally import Tally, together
from csp.keeping.bundle import ASSETS
from csp.keeping.reviews.location import Location

SERVER = Path(__file__).parents[1] / "scripts" / "private_postgres.py"
Campaign = Callable[[Path], Tally]
"""Works in an empty folder."""


@contextmanager
def private_postgresql() -> Iterator[str | None]:
    """The URL of a server of our own; None where PostgreSQL is missing."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip() or None
    finally:
        process.stdin.close()
        process.wait()


def campaigns(given: argparse.Namespace, url: str | None) -> dict[str, Campaign]:
    """All campaigns, by name."""
    seed = given.seed

    def recorded(folder: Path) -> Path:
        records.make_record(Location(path=folder / "reviews.sqlite"))
        return folder / "reviews.sqlite"

    def copied(folder: Path) -> Path:
        return Path(shutil.copytree(given.run, folder / "run"))

    found: dict[str, Campaign] = {
        "record": lambda folder: records.flip_record(recorded(folder), given.flips, seed),
        "changes": lambda folder: records.change_sqlite(recorded(folder), given.changes, seed),
        "run": lambda folder: runs.flip_run(copied(folder), given.run_flips, seed),
        "manifest": lambda folder: runs.edit_manifest(copied(folder), given.edits, seed),
        "indexing": lambda folder: kills.kill_indexing(folder, given.kills, seed),
        "copying": lambda folder: kills.kill_copying(folder, given.run, given.kills, seed),
        "evaluating": lambda folder: kills.kill_evaluating(folder, given.run, given.kills, seed),
        "writing": lambda folder: kills.kill_writing(
            Location(path=folder / "reviews.sqlite"), folder / "told", given.kills, seed
        ),
    }
    if url is not None:
        found |= {
            "values": lambda folder: records.flip_values(url, given.flips, seed),
            "postgresql": lambda folder: records.change_postgresql(url, given.changes, seed),
            "writing-postgresql": lambda folder: kills.kill_writing(
                records.emptied(url), folder / "told", given.kills, seed
            ),
        }
    return found


def in_own_home(campaign: Campaign) -> dict[str, Any]:
    """A campaign in a folder of its own, which is `CSP_HOME` too."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CSP_HOME"] = folder
        return campaign(Path(folder)).summary()


def main() -> None:
    """Print what became of all that was tried as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flips", type=int, default=1000, help="in the record, of either database")
    parser.add_argument("--changes", type=int, default=200, help="of the record, of either database")
    parser.add_argument("--run-flips", type=int, default=300, help="in the run")
    parser.add_argument("--edits", type=int, default=25, help="of the manifest")
    parser.add_argument("--kills", type=int, default=30, help="of each kind of job")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, default=ASSETS / "runs" / "demo", help="a copy of it is damaged")
    parser.add_argument("--only", nargs="+", help="these campaigns alone")
    parser.add_argument("--resume", type=Path, help="a file that keeps what each campaign found")
    given = parser.parse_args()
    parts: dict[str, Any] = {}
    if given.resume and given.resume.exists():
        parts = json.loads(given.resume.read_text())
    with private_postgresql() as url:
        for name, campaign in campaigns(given, url).items():
            if name not in parts and name in (given.only or (name,)):
                parts[name] = in_own_home(campaign)
                print(name, json.dumps(parts[name]), file=sys.stderr, flush=True)
                if given.resume:
                    given.resume.write_text(json.dumps(parts))
    print(json.dumps({**together(parts.values()), "ratio_of": "neither lost nor a traceback", **parts}))


if __name__ == "__main__":
    main()
