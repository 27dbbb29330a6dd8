"""Twenty reviewers at once record two hundred verdicts each: how long does one wait for a verdict to be kept?

On SQLite and on PostgreSQL, both with durable commits. The bare comparison: as many threads, each of which
inserts rows of the same size into a plain table through the database driver, one commit a row.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from csp.keeping.canonical_json import canonical_json
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action

SERVER = Path(__file__).parents[1] / "scripts" / "private_postgres.py"
AIM_MS = 200

Write = Callable[[int], object]
"""Writes what a reviewer says of the neuron with this number."""


@dataclass(frozen=True)
class Load:
    """How many people record how many verdicts each."""

    reviewers: int
    verdicts: int

    def run(self, writer: Callable[[int], Write]) -> "Waits":
        """Let all write at once, as fast as each gets an answer; each has a writer of their own."""
        writers = [writer(reviewer) for reviewer in range(self.reviewers)]
        start = time.perf_counter()
        with ThreadPoolExecutor(self.reviewers) as pool:
            waits = np.concatenate(list(pool.map(self._one, writers)))
        return Waits(waits, time.perf_counter() - start)

    def _one(self, write: Write) -> np.ndarray:
        return np.array([_milliseconds(write, neuron) for neuron in range(self.verdicts)])


@dataclass(frozen=True)
class Waits:
    """How long each write took (ms), and all together (s)."""

    each: np.ndarray
    seconds: float

    def facts(self) -> dict[str, float]:
        """As JSON."""
        median, p95, most = np.quantile(self.each, [0.5, 0.95, 1]).round(2).tolist()
        per_second = round(len(self.each) / self.seconds, 1)
        return {"median_ms": median, "p95_ms": p95, "max_ms": most, "writes_per_second": per_second}


def _milliseconds(write: Write, neuron: int) -> float:
    start = time.perf_counter()
    write(neuron)
    return 1000 * (time.perf_counter() - start)


def entry(reviewer: int, neuron: int) -> Entry:
    """A verdict as the neuron page sends it."""
    return Entry(
        run_fingerprint="f" * 64,
        run="demo",
        layer="layer4",
        neuron=neuron,
        verdict=Action.OVERRIDE,
        label=f"blue-white veil {reviewer}",
        machine_label="ruler marks",
        reviewer=f"reviewer {reviewer}",
        reason="seen on most of the activating examples",
        tags=("7-point:blue-white-veil",),
        labeler="csp",
        gamma=1.0,
        examples=30,
        app_version="0.1.0",
    )


def measure(location: Location, load: Load, bare: Callable[[int], Write]) -> dict[str, Any]:
    """Ours, then the bare inserts, then whether all is there and the chain holds."""
    with Reviews(location, patience=120) as reviews:
        reviews.claim([], entry(0, 0).who)  # makes the tables
        ours = load.run(lambda reviewer: lambda neuron: reviews.record(entry(reviewer, neuron)))
        events = reviews.events()
        start = time.perf_counter()
        finding = reviews.verify()
        verifying = time.perf_counter() - start
    theirs = load.run(bare)
    present = {(event.reviewer, event.neuron) for event in events}
    return {
        "ratio": round(ours.seconds / theirs.seconds, 3),
        "recording": ours.facts(),
        "bare": theirs.facts(),
        "events": len(events),
        "all_present": len(events) == len(present) == load.reviewers * load.verdicts,
        "chain_ok": finding.ok,
        "verify_seconds": round(verifying, 3),
        "p95_under_aim": ours.facts()["p95_ms"] < AIM_MS,
    }


def on_sqlite(folder: Path, load: Load) -> dict[str, Any]:
    """In a file of `folder`."""
    path = folder / "bare.sqlite"

    def bare(reviewer: int) -> Write:
        connection = sqlite3.connect(path, timeout=120, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS bare (said TEXT)")
        return lambda neuron: connection.execute("INSERT INTO bare VALUES (?)", [_payload(reviewer, neuron)])

    return measure(Location(path=folder / "reviews.sqlite"), load, bare)


def on_postgresql(url: str, load: Load) -> dict[str, Any]:
    """In the database of a URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (said TEXT)")

    def bare(reviewer: int) -> Write:
        connection = psycopg.connect(url, autocommit=True)
        return lambda neuron: connection.execute("INSERT INTO bare VALUES (%s)", [_payload(reviewer, neuron)])

    return measure(Location.of(url), load, bare)


def _payload(reviewer: int, neuron: int) -> str:
    return canonical_json(entry(reviewer, neuron).row())


@contextmanager
def private_postgresql() -> Iterator[str | None]:
    """The URL of a server of our own; None where PostgreSQL is missing."""
    command = [sys.executable, str(SERVER), "--durable"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip() or None
    finally:
        process.stdin.close()
        process.wait()


def main() -> None:
    """Measure both databases, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--verdicts", type=int, default=200)
    options = parser.parse_args()
    load = Load(options.reviewers, options.verdicts)
    with tempfile.TemporaryDirectory() as folder, private_postgresql() as url:
        found = {"sqlite": on_sqlite(Path(folder), load)}
        if url is not None:
            found["postgresql"] = on_postgresql(url, load)
    print(
        json.dumps(
            {
                "ratio": max(one["ratio"] for one in found.values()),
                "ratio_of": "time to record all verdicts to that of as many bare inserts and commits by as "
                "many threads (the worse of the databases)",
                "aim_ms": AIM_MS,
                **found,
                **vars(options),
            }
        )
    )


if __name__ == "__main__":
    main()
