"""Does a flipped bit ever change what is shown without anybody saying so?

Bits are flipped at random in a review record (SQLite) and in a run, one at a time. Each flip is *found* (a
sentence says that something is damaged), *harmless* (all that is shown is as before), *lost* (something else
is shown, and nothing says so) or a *traceback*. `ratio` is the share that is neither lost nor a traceback.

    python benchmarks/faults.py --flips 1000 --seed 0
"""

import argparse
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from csp.errors import CspError
from csp.keeping.bundle import ASSETS
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.manifest import MANIFEST_NAME
from csp.keeping.run_folder.run import Run

EVENTS, NEURONS = 200, 30
AS_BEFORE, FOUND, LOST = "harmless", "found", "lost"


class Tally:
    """What became of the flips."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, where: str, look: Callable[..., str], *at: Any) -> None:
        """Look at what one flip did; `look` says what, or raises what nobody foresaw."""
        try:
            outcome = look(*at)
        except Exception as error:  # noqa: BLE001 # any that reaches us is what is counted
            outcome = f"{type(error).__name__}: {error}"
        known = outcome if outcome in (AS_BEFORE, FOUND, LOST) else "tracebacks"
        self.counts[known] += 1
        if known in (LOST, "tracebacks"):
            self.examples.append(f"{where}: {outcome}")

    def summary(self) -> dict[str, Any]:
        """As the benchmark prints it."""
        tried = self.counts.total()
        bad = self.counts[LOST] + self.counts["tracebacks"]
        counted = {name: self.counts[name] for name in (FOUND, AS_BEFORE, LOST, "tracebacks")}
        return {"tried": tried, **counted, "ratio": 1 - bad / max(1, tried), "examples": self.examples[:10]}


def make_record(path: Path) -> None:
    """A record of a few hundred events on some neurons."""
    with Reviews(Location(path=path)) as reviews:
        said = [
            Entry(
                run_fingerprint="f" * 64,
                run="flipped",
                layer="late",
                neuron=number % NEURONS,
                verdict=Action.OVERRIDE,
                label=f"label {number}",
                reviewer=f"Reviewer {number % 7}",
                gamma=0.5,
            )
            for number in range(EVENTS)
        ]
        reviews.record_all(said)


def flip_record(record: Path, flips: int, seed: int) -> Tally:
    """Flip bits of a closed record, one at a time, in a copy; look as pages and `csp review verify` do."""
    with Reviews(Location(path=record)) as reviews:
        events = reviews.events()
    content, chance, tally = record.read_bytes(), random.Random(seed), Tally()
    for bit in (chance.randrange(8 * len(content)) for _ in range(flips)):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "reviews.sqlite"
            copy.write_bytes(_flipped(content, bit))
            tally.add(f"bit {bit} of the record", _look_at_record, copy, events)
    return tally


def _look_at_record(record: Path, events: list[Any]) -> str:
    place = events[0].place
    with Reviews(Location(path=record), patience=0.2) as reviews:
        sound = reviews.check().ok
        shown = True
        if sound:
            mine = [event for event in events if event.place == place]
            shown = reviews.events() == events and reviews.events(*place) == mine
        with Reviews(Location(path=record), patience=0.2) as others:
            verified = others.verify().ok
    if not shown:
        return LOST
    return AS_BEFORE if sound and verified else FOUND


def flip_run(folder: Path, flips: int, seed: int) -> Tally:
    """Flip bits of a run's files, as many in each, one at a time; look at the damaged part as pages do."""
    chance, tally = random.Random(seed), Tally()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number in range(flips):
        path = files[number % len(files)]
        name = path.relative_to(folder).as_posix()
        before = _shown(folder, name)
        with _one_bit_flipped(path, chance) as bit:
            tally.add(f"bit {bit} of {name}", _look_at_run, folder, name, before)
    return tally


def _look_at_run(folder: Path, name: str, before: Any) -> str:
    try:
        return AS_BEFORE if _shown(folder, name) == before else LOST
    except CspError:
        return FOUND


def _shown(folder: Path, name: str) -> Any:
    """What is shown of the part of a run that a file belongs to, as text or bytes that can be compared."""
    run = Run.open(folder)
    first, _, rest = name.partition("/")
    if name == MANIFEST_NAME:
        return run.manifest
    if first == "additions":
        for problem in Additions(run).problems():
            raise CspError(problem)
        return None
    if first.startswith("thumbnails"):
        sizes = ("small", "large")
        return [run.thumbnail(image, size) for image in range(run.manifest.images) for size in sizes]  # type: ignore[arg-type]
    part = rest.partition("/")[0].removesuffix(".parquet")
    kind, _, number = part.partition("-")
    if kind == "activations":
        return run.layer_activations(run.layers[int(number)]).tobytes()
    if kind == "neighbours":
        found = run.neighbours
        return found and (found.index.tobytes(), found.similarity.tobytes())
    if kind in ("neurons", "labels"):
        return getattr(run, kind)(run.layers[int(number)]).to_json()
    if first == "tables":
        return getattr(run, kind).to_json()
    return getattr(run, kind).tobytes() if kind != "zarr.json" else None


@contextmanager
def _one_bit_flipped(path: Path, chance: random.Random) -> Iterator[int]:
    content = path.read_bytes()
    bit = chance.randrange(8 * len(content))
    path.write_bytes(_flipped(content, bit))
    try:
        yield bit
    finally:
        path.write_bytes(content)


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def main() -> None:
    """Print what became of the flips as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flips", type=int, default=1000, help="in the record, and as many in the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, default=ASSETS / "runs" / "demo", help="a copy of it is damaged")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record, run = Path(folder) / "reviews.sqlite", Path(folder) / "run"
        make_record(record)
        shutil.copytree(given.run, run)
        parts = {
            "record": flip_record(record, given.flips, given.seed).summary(),
            "run": flip_run(run, given.flips, given.seed).summary(),
        }
    total = {
        name: sum(part[name] for part in parts.values()) for name in ("tried", FOUND, LOST, "tracebacks")
    }
    ratio = 1 - (total[LOST] + total["tracebacks"]) / max(1, total["tried"])
    print(json.dumps({**total, "ratio": ratio, "ratio_of": "flips neither lost nor a traceback", **parts}))


if __name__ == "__main__":
    main()
