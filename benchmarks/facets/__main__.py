"""How much of what neurons look for their facets name, against the first label alone.

    python -m benchmarks.facets --json                 # judging worlds of every family, and the demo
    python -m benchmarks.facets --development           # the worlds that the method may be tuned on
    python -m benchmarks.facets --runs RUN ... --count 4 --figure facets.svg

Of the things that a neuron tells: precision, recall and F1 of the set that its facets name, pooled over
the neurons that tell something, with its 95 % interval (bootstrapped over neurons), beside the same of the
first label. `difference` is facets less first label, paired. In a stored run a neuron tells the attribute or
class of highest AUROC on held-out images, if that is at least 0.85, then the one among the images that lack
it, and so on. A text that names neither is wrong in `f1`; `f1_of_attributes` leaves it out. `--classes`
counts the class of a made-up world as one more thing that a neuron may tell, and all words for a run's
diagnoses as naming them.
`ratio` is the lowest F1 of the facets over that of the first label, over all worlds.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from benchmarks.facets.worlds import FAMILIES, FacetWorld, Thing, run_world
from benchmarks.worlds.world import Purpose
from csp.method.examples.select import select_examples
from csp.method.facets import split_facets
from csp.method.labelers.registry import FIRST, LABELERS
from csp.method.modes import Modes
from csp.work.labels.scorer import Scorer
from csp.work.labels.synonyms import SAME

COUNT, EXAMPLES, RESAMPLES = 3, 30, 1000


@dataclass(frozen=True)
class Told:
    """What one neuron tells, and what is said of it; a text that names nothing is a thing of its own."""

    truth: frozenset[Thing]
    facets: tuple[frozenset[Thing], ...]
    """What each facet names."""
    first: frozenset[Thing]

    def counts(self, named: frozenset[Thing]) -> tuple[int, int, int]:
        """How many things are named rightly, named, and told."""
        return len(named & self.truth), len(named), len(self.truth)


def listen(world: FacetWorld, method: str, step: int) -> Iterator[Told]:
    """Every `step`-th neuron of a world that varies."""
    scorer = Scorer(world.embeddings, world.text_embeddings, world.selection, lambda _: [world.activations])
    modes = Modes(world.embeddings, world.text_embeddings)
    for neuron in range(0, world.activations.shape[1], step):
        activations = np.ascontiguousarray(world.activations[:, neuron])

        def scores(values: np.ndarray) -> np.ndarray:
            values = values.astype(np.float32)
            evidence = scorer.evidence("", values, select_examples(values, world.embeddings, EXAMPLES))
            return LABELERS[method](evidence, world.text_embeddings, 1.0)

        found = split_facets(activations, modes, scores, world.selection, SAME)
        if found:
            first = int(np.argmax(scores(activations)))
            named = tuple(world.named(one.text, one.absent) for one in found)
            yield Told(world.told(neuron), named, world.named(first, False))


def judged(heard: list[Told]) -> dict[str, Any]:
    """Of all neurons of one family that tell something."""
    clear = [one for one in heard if one.truth]
    union = [frozenset[Thing]().union(*one.facets) for one in clear]
    counts = {
        "facets": np.array([one.counts(named) for one, named in zip(clear, union, strict=True)], float),
        "first_label": np.array([one.counts(one.first) for one in clear], float),
    }
    if not clear:
        return {"neurons": len(heard), "clear": 0}
    drawn = np.random.default_rng(0).integers(len(clear), size=(RESAMPLES, len(clear)))
    spread = {name: _f1(one[drawn].sum(axis=1)) for name, one in counts.items()}
    attributes = {
        "facets": np.array([one.counts(_attributes(named)) for one, named in zip(clear, union, strict=True)]),
        "first_label": np.array([one.counts(_attributes(one.first)) for one in clear]),
    }
    return {
        "neurons": len(heard),
        "clear": len(clear),
        "several": sum(len(one.truth) > 1 for one in clear),
        "facets_each": round(float(np.mean([len(one.facets) for one in clear])), 3),
        **{
            name: _measures(one.sum(axis=0), spread[name], attributes[name].sum(axis=0))
            for name, one in counts.items()
        },
        "difference": _interval(
            float(_f1(counts["facets"].sum(axis=0)) - _f1(counts["first_label"].sum(axis=0))),
            spread["facets"] - spread["first_label"],
        ),
    }


def _attributes(named: frozenset[Thing]) -> frozenset[Thing]:
    return frozenset(one for one in named if one[0] >= 0)


def _measures(
    total: Float[np.ndarray, " 3"], spread: Float[np.ndarray, " b"], attributes: Float[np.ndarray, " 3"]
) -> dict[str, Any]:
    right, named, told = total.tolist()
    return {
        "precision": round(right / max(named, 1), 4),
        "recall": round(right / max(told, 1), 4),
        "f1": _interval(float(_f1(total)), spread),
        "f1_of_attributes": round(float(_f1(attributes)), 4),
    }


def _f1(counts: Float[np.ndarray, "*b 3"]) -> Float[np.ndarray, "*b"]:
    found: Float[np.ndarray, "*b"] = 2 * counts[..., 0] / np.maximum(counts[..., 1] + counts[..., 2], 1)
    return found


def _interval(value: float, spread: Float[np.ndarray, " b"]) -> dict[str, float]:
    low, high = np.quantile(spread, [0.025, 0.975]).tolist()
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def measure(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """By family of worlds, and by run."""
    purpose = Purpose.DEVELOPMENT if options.development else Purpose.JUDGING
    found = {}
    for name, family in FAMILIES.items():
        found[name] = judged(_all(family.worlds(purpose, options.count, options.classes), options))
    for run in () if options.development else options.runs:
        found[run] = judged(_all([run_world(run, options.classes)], options))
    return found


def _all(worlds: Iterable[FacetWorld], options: argparse.Namespace) -> list[Told]:
    heard: list[Told] = []
    for world in worlds:
        print(world.name, file=sys.stderr)
        heard += listen(world, options.method, options.step)
    return heard


def table(found: dict[str, dict[str, Any]]) -> str:
    """The same as Markdown."""
    heads = ("world", "clear neurons", "facets: F1", "first label: F1", "difference")
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name, row in found.items():
        if row["clear"]:
            cells = (row["facets"]["f1"], row["first_label"]["f1"], row["difference"])
            shown = " | ".join(f"{one['value']:.3f} ({one['low']:.2f} to {one['high']:.2f})" for one in cells)
            lines.append(f"| {name} | {row['clear']} of {row['neurons']} | {shown} |")
    return "\n".join(lines)


def figure(found: dict[str, dict[str, Any]]) -> str:
    """F1 of facets (filled) and of the first label (open) with their intervals, as SVG."""
    rows = [(name, row) for name, row in found.items() if row["clear"]]
    left, wide, high = 190, 420, 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 30} {high * len(rows) + 66}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="F1 of facets and first label">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for tick in range(0, 11, 2):
        x = left + wide * tick / 10
        parts.append(f'<path d="M{x:g} 8V{high * len(rows) + 12}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:g}" y="{high * len(rows) + 28}" text-anchor="middle">{tick / 10:g}</text>')
    for place, (name, row) in enumerate(rows):
        y = 20 + high * place
        parts.append(f'<text x="{left - 10}" y="{y + 6}" text-anchor="end">{name}</text>')
        for key, offset, fill in (("facets", 0, "#0072b2"), ("first_label", 9, "white")):
            f1 = row[key]["f1"]
            low, value, top = (left + wide * f1[end] for end in ("low", "value", "high"))
            parts.append(f'<path d="M{low:.1f} {y + offset}H{top:.1f}" stroke="#0072b2"/>')
            parts.append(f'<circle cx="{value:.1f}" cy="{y + offset}" r="4" fill="{fill}" stroke="#0072b2"/>')
    y = high * len(rows) + 50
    parts.append(f'<text x="{left}" y="{y}">F1: filled, facets; open, first label</text></svg>')
    return "\n".join(parts)


def main() -> None:
    """Measure, and print the table or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", nargs="*", default=["demo"])
    parser.add_argument("--method", default=FIRST, choices=tuple(LABELERS))
    parser.add_argument("--count", type=int, default=COUNT, help="worlds of each family")
    parser.add_argument("--step", type=int, default=1, help="every how many neurons")
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--classes", action="store_true", help="classes count as things, by all their names")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options)
    if options.figure:
        options.figure.write_text(figure(found) + "\n", encoding="utf-8")
    if options.json:
        ratios = [
            row["facets"]["f1"]["value"] / max(row["first_label"]["f1"]["value"], 1e-9)
            for row in found.values()
            if row["clear"]
        ]
        of = "F1 of the facets to that of the first label, lowest world"
        print(json.dumps({"ratio": round(min(ratios), 4), "ratio_of": of, "worlds": found}, indent=1))
    else:
        print(table(found))


if __name__ == "__main__":
    main()
