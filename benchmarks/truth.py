"""How often the first label is true, by world and labeler: the worlds of `benchmarks/worlds`.

    python -m benchmarks.truth                          # all families' judging worlds, and the demo
    python -m benchmarks.truth --worlds rare kinds      # some of them
    python -m benchmarks.truth --runs demo RUN ...      # stored runs whose images have attributes
    python -m benchmarks.truth --embeddings FOLDER ...  # made-up neurons over real embeddings
    python -m benchmarks.truth --development            # the worlds that things may be tuned on

Beside each share its 95 % interval, bootstrapped over neurons. In bold: the best single labeler of that
world; in italics: who is behind it beyond chance (paired). `ratio` is the lowest share of the first labeler
over that of the best single labeler, over all worlds: 1 or more where it is nowhere behind.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import Named, name_all
from benchmarks.worlds.stored import embeddings_world, run_worlds
from benchmarks.worlds.world import Purpose, World
from csp.method.labelers.registry import FIRST
from csp.method.metrics.statistics import Interval, bootstrap_interval

COMBINED = "consensus"
"""The labeler that is made of others: it is compared with the single ones, and isn't one."""
COUNT, QUICK = 8, 2
"""Worlds of each family."""


def draw_worlds(options: argparse.Namespace) -> Iterator[World]:
    """The worlds that were asked for, one at a time."""
    purpose = Purpose.DEVELOPMENT if options.development else Purpose.JUDGING
    for name in options.worlds:
        yield from FAMILIES[name].worlds(purpose, QUICK if options.quick else options.count)
    if not options.development:
        for run in options.runs:
            yield from run_worlds(run)
        yield from map(embeddings_world, options.embeddings)


def judge_family(named: Sequence[Named]) -> dict[str, Any]:
    """Shares and differences over the worlds of one family, pooled over the neurons with a right text."""
    answerable = np.concatenate([one.answerable for one in named])
    right = {
        labeler: np.concatenate([one.right(labeler) for one in named])[answerable]
        for labeler in named[0].first
    }
    return {
        "worlds": len(named),
        "neurons": len(answerable),
        "answerable": int(answerable.sum()),
        "labelers": {labeler: _interval(_share(found)) for labeler, found in right.items()},
        **(_against_best(right) if answerable.any() else {}),
    }


def _against_best(right: dict[str, Bool[np.ndarray, " c"]]) -> dict[str, Any]:
    """The best single labeler, and every labeler's paired difference to it."""
    best = max((name for name in right if name != COMBINED), key=lambda name: right[name].mean())
    return {
        "best": best,
        "difference": {
            name: _interval(_share(found.astype(float) - right[best])) for name, found in right.items()
        },
    }


def _share(values: np.ndarray) -> Interval:
    return bootstrap_interval(values.astype(np.float64), np.random.default_rng(0))


def _interval(found: Interval) -> dict[str, float | None]:
    values = {"share": found.value, "low": found.low, "high": found.high}
    return {key: round(value, 4) if np.isfinite(value) else None for key, value in values.items()}


def table(found: dict[str, dict[str, Any]]) -> str:
    """The same as Markdown; behind the best single labeler beyond chance: in italics."""
    labelers = list(next(iter(found.values()))["labelers"])
    lines = [
        "| world | neurons | " + " | ".join(labelers) + " |",
        "| --- " * (len(labelers) + 2) + "|",
    ]
    for family, row in found.items():
        cells = [_cell(row, labeler) for labeler in labelers]
        lines.append(f"| {family} | {row['answerable']} of {row['neurons']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, Any], labeler: str) -> str:
    share = row["labelers"][labeler]
    if share["share"] is None:
        return "nothing is right"
    text = f"{share['share']:.3f} ({share['low']:.2f} to {share['high']:.2f})"
    behind = row["difference"][labeler]["high"] < 0
    return f"*{text}*" if behind else f"**{text}**" if labeler == row["best"] else text


def ratio(found: dict[str, dict[str, Any]]) -> float | None:
    """The first labeler's share over the best single one's, where it is lowest."""
    ratios = [
        row["labelers"][FIRST]["share"] / row["labelers"][row["best"]]["share"]
        for row in found.values()
        if row.get("best") and row["labelers"][row["best"]]["share"]
    ]
    return round(min(ratios), 4) if ratios else None


def main() -> None:
    """Judge, and print the table or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", nargs="*", default=list(FAMILIES), choices=FAMILIES, metavar="FAMILY")
    parser.add_argument("--runs", nargs="*", default=["demo"])
    parser.add_argument("--embeddings", nargs="*", type=Path, default=[])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--count", type=int, default=COUNT, help="worlds of each family")
    parser.add_argument("--quick", action="store_true", help="two worlds of each family")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    by_family: dict[str, list[Named]] = {}
    for world in draw_worlds(options):
        print(world.name, file=sys.stderr)
        family = world.name if world.family.startswith("stored") else world.family
        by_family.setdefault(family, []).append(name_all(world))
    found = {family: judge_family(named) for family, named in by_family.items()}
    if options.json:
        measured = {"ratio": ratio(found), "ratio_of": f"{FIRST} to the best single labeler, lowest world"}
        print(json.dumps({**measured, "worlds": found}, indent=1))
    else:
        print(table(found))


if __name__ == "__main__":
    main()
