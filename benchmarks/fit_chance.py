"""Fits the chance that a first label is true on development worlds, and judges it on judging ones.

    python -m benchmarks.fit_chance                     # fit, and how well calibrated it is, world by world
    python -m benchmarks.fit_chance --held-out          # each family judged by a model that never saw it
    python -m benchmarks.fit_chance --shipped           # judges the model that ships instead of fitting one
    python -m benchmarks.fit_chance --write             # and write csp/method/chance/fitted.py
    python -m benchmarks.fit_chance --plot FILE.svg     # the reliability diagram

`over` is the mean chance less the share that is true (above 0: over-confident), with its interval over
worlds, `ece` the expected calibration error over ten bins, `auroc` how well a low chance tells wrong labels
from right ones. `ratio` is the pooled share that is true over the pooled mean chance.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.optimize import minimize

from benchmarks.reliability import reliability_svg
from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import name_all
from benchmarks.worlds.stored import embeddings_world, run_worlds
from benchmarks.worlds.world import ROUND, Purpose, World
from csp.method.chance import fitted
from csp.method.chance.facts import FACTS
from csp.method.chance.model import Model, chances
from csp.method.metrics.statistics import auroc, bootstrap_interval

BINS = 10
PENALTY = 3.0
"""On the squared weights of the standardised facts."""
ROUNDS, STEP = 8, 4.0
"""Of the fit: how often, and how fast, families in which it is over-confident come to count more."""


@dataclass(frozen=True, eq=False)
class Judged:
    """The labels of one family: facts, truth, and afterwards the chance."""

    facts: Float64[np.ndarray, "l f"]
    right: Bool[np.ndarray, " l"]
    world: Int64[np.ndarray, " l"]
    """The number of the world that each is from."""


def judge(worlds: Iterable[World]) -> dict[str, Judged]:
    """By family (stored runs by name) all labels for which a chance can be said."""
    found: dict[str, list[Judged]] = {}
    for world in worlds:
        print(world.name, file=sys.stderr)
        named = name_all(world)
        facts = named.facts()
        right = named.right(fitted.LABELER)[[one.neuron for one in named.labelled]]
        known = np.isfinite(facts).all(axis=1)
        family = world.name if world.family.startswith("stored") else world.family
        found.setdefault(family, []).append(Judged(facts[known], right[known], np.zeros(known.sum(), int)))
    return {family: together(parts) for family, parts in found.items()}


def together(parts: Iterable[Judged]) -> Judged:
    """The labels of several."""
    facts, right = zip(*((one.facts, one.right) for one in parts), strict=True)
    world = np.repeat(np.arange(len(right)), [len(one) for one in right])
    return Judged(np.concatenate(facts), np.concatenate(right), world)


def fit(families: Sequence[Judged]) -> Model:
    """The logistic regression that is least over-confident where it is worst.

    Group DRO (Sagawa et al. 2020, 1911.08731), with over-confidence in the place of loss: every family counts
    alike at first, then those the more whose labels are true less often than was said.
    """
    shares = np.full(len(families), 1 / len(families))
    model = _regressed(families, shares)
    for _ in range(ROUNDS):
        over = [chances(one.facts, model).mean() - one.right.mean() for one in families]
        shares = shares * np.exp(STEP * np.maximum(over, 0.0))
        shares /= shares.sum()
        model = _regressed(families, shares)
    return model


def _regressed(families: Sequence[Judged], shares: Float64[np.ndarray, " g"]) -> Model:
    """Logistic regression in which families count by their shares and no fact speaks against a label."""
    judged = together(families)
    mean, deviation = judged.facts.mean(axis=0), np.maximum(judged.facts.std(axis=0), 1e-9)
    design = np.column_stack([(judged.facts - mean) / deviation, np.ones(len(judged.facts))])
    right = judged.right.astype(float)
    counts = np.concatenate(
        [
            np.full(len(one.right), share * len(right) / len(one.right))
            for one, share in zip(families, shares, strict=True)
        ]
    )

    def loss(weights: Float64[np.ndarray, " f1"]) -> tuple[float, Float64[np.ndarray, " f1"]]:
        odds, penalised = design @ weights, np.append(weights[:-1], 0.0)
        value = counts @ (np.logaddexp(0, odds) - odds * right) + PENALTY / 2 * penalised @ penalised
        slope = counts * (1 / (1 + np.exp(-odds)) - right)
        return float(value), design.T @ slope + PENALTY * penalised

    bounds = [(0.0, None)] * len(FACTS) + [(None, None)]
    found = minimize(loss, np.zeros(design.shape[1]), jac=True, bounds=bounds).x
    weights = found[:-1] / deviation
    return Model(
        round(float(found[-1] - weights @ mean), 4), tuple(round(one, 4) for one in weights.tolist())
    )


def calibration(
    chance: Float64[np.ndarray, " l"], right: Bool[np.ndarray, " l"], world: Int64[np.ndarray, " l"]
) -> dict[str, Any]:
    """How well a chance says how often labels are true; the interval of `over` is over the worlds."""
    over = [float((chance - right)[world == one].mean()) for one in np.unique(world)]
    interval = bootstrap_interval(np.array(over), np.random.default_rng(0))
    bins = bin_table(chance, right)
    return {
        "labels": len(right),
        "true": float(right.mean()),
        "chance": float(chance.mean()),
        "over": float(chance.mean() - right.mean()),
        "over_low": interval.low if len(over) > 1 else None,
        "over_high": interval.high if len(over) > 1 else None,
        "ece": sum(count * abs(said - true) for count, said, true in bins) / len(right),
        "auroc": auroc(-chance, ~right),
        "quantiles": [float(one) for one in np.quantile(chance, [0.1, 0.5, 0.9])],
    }


def bin_table(
    chance: Float64[np.ndarray, " l"], right: Bool[np.ndarray, " l"]
) -> list[tuple[int, float, float]]:
    """Of each tenth of the chances that is not empty: labels, mean chance, share that is true."""
    places = np.minimum((chance * BINS).astype(int), BINS - 1)
    chosen = (places == place for place in range(BINS))
    return [
        (int(one.sum()), float(chance[one].mean()), float(right[one].mean())) for one in chosen if one.any()
    ]


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| world | labels | true | chance | over | 95 % interval | ece | auroc | 10th, 50th, 90th percent |",
        "| --- " * 9 + "|",
    ]
    for name, row in rows.items():
        before, after = (
            " | ".join(f"{row[key]:.3f}" for key in keys)
            for keys in (("true", "chance", "over"), ("ece", "auroc"))
        )
        known = row["over_low"] is not None
        interval = f"{row['over_low']:.2f} to {row['over_high']:.2f}" if known else ""
        spread = ", ".join(f"{one:.2f}" for one in row["quantiles"])
        lines.append(f"| {name} | {row['labels']} | {before} | {interval} | {after} | {spread} |")
    return "\n".join(lines).replace("nan", "")


def write(model: Model) -> None:
    """Put the model into the program."""
    path = Path(fitted.__file__)
    before = path.read_text(encoding="utf-8").partition("MODEL = ")[0]
    rows = "".join(
        f"        {weight},  # {name}\n" for weight, name in zip(model.weights, FACTS, strict=True)
    )
    text = f"MODEL = Model(\n    intercept={model.intercept},\n    weights=(\n{rows}    ),\n)\n"
    path.write_text(before + text, encoding="utf-8")


def drawn(purpose: Purpose, count: int, of_round: int = ROUND) -> Iterable[World]:
    """The worlds of all families."""
    for family in FAMILIES.values():
        many = family.many if purpose is Purpose.DEVELOPMENT else 1
        yield from family.worlds(purpose, count * many, of_round)


def judging(options: argparse.Namespace) -> Iterable[World]:
    """All worlds that judge."""
    yield from drawn(Purpose.JUDGING, options.judging, options.round)
    for run in options.runs:
        yield from run_worlds(run)
    yield from map(embeddings_world, options.embeddings)


def main() -> None:
    """Fit, judge and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--development", type=int, default=20, help="worlds of each family to fit on")
    parser.add_argument("--judging", type=int, default=8, help="worlds of each family to judge on")
    parser.add_argument("--round", type=int, default=ROUND, help="of the worlds to judge on")
    parser.add_argument("--runs", nargs="*", default=["demo"])
    parser.add_argument("--embeddings", nargs="*", type=Path, default=[])
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.shipped:
        known, model = {}, fitted.MODEL
    else:
        known = judge(drawn(Purpose.DEVELOPMENT, options.development))
        model = fit(list(known.values()))
    said: dict[str, tuple[Float64[np.ndarray, " l"], Judged]] = {}
    for family, judged in judge(judging(options)).items():
        others = [one for name, one in known.items() if name != family]
        its_own = fit(others) if options.held_out and family in known else model
        said[family] = (chances(judged.facts, its_own), judged)
    rows = {family: calibration(found, one.right, one.world) for family, (found, one) in said.items()}
    chance = np.concatenate([found for found, _ in said.values()])
    right = np.concatenate([one.right for _, one in said.values()])
    rows["all"] = calibration(chance, right, np.zeros(len(right), int))
    if options.write:
        write(model)
    if options.plot:
        options.plot.write_text(reliability_svg(bin_table(chance, right)), encoding="utf-8")
    if options.json:
        measured = {"ratio": rows["all"]["true"] / rows["all"]["chance"], "ratio_of": "share true to chance"}
        print(
            json.dumps({**measured, "weights": dict(zip(FACTS, model.weights, strict=True)), "worlds": rows})
        )
    else:
        print(table(rows))
        for count, mean, true in bin_table(chance, right):
            print(f"said {mean:.3f}: true {true:.3f} of {count}")


if __name__ == "__main__":
    main()
