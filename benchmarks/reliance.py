"""How well switching a concept off agrees with the truth, which the drawn world can tell.

The truth: the same cases are drawn with and without an attribute, and nothing else changes; what the
classifier says then changes for no other reason. Against it stand both measures of `csp reliance`, on the
pictures with the attribute: the neurons whose label in force means it held at their mean (`ablated`), and
all that the attribute adds to the layer taken away (`erased`). Over all attributes that some label names and
all classes: Spearman's rank correlation, its 95 % interval over cases, and beside it that of random groups of
as many neurons. New cases, which no model and no label has seen.

`other_heads` is the same for classifiers that nobody looked at: linear heads on the same layer, each
with four classes that follow random sums of the attributes.

python -m benchmarks.reliance --run demo --cases 40 [--keep FOLDER]       # with --keep a stopped one goes on
"""

import argparse
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64
from scipy.stats import spearmanr

from csp.errors import BadInputError
from csp.keeping import atomic
from csp.keeping.home import home
from csp.method.reliance import Head, own_effects, random_groups
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.models.reopen import RunTarget, run_target
from csp.work.reliance.concepts import concepts
from csp.work.reliance.heads import BehindHead, behind_head
from csp.work.reviews.desk import open_reviewing
from csp.world.dermoscopy import ATTRIBUTES, Case, render, sample_case, with_attribute

FIRST_SEED = 90_000_000
"""No other seed of the project is as high."""
RANDOM, RESAMPLES, HEADS = 20, 500, 50
RIDGE = 1e-2
"""Of the mean variance of the neurons: what the fit of another head adds to each."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one attribute does to the layer: its activations on the same cases with it and without it."""

    attribute: str
    neurons: tuple[int, ...]
    """Those whose label means it."""
    on: Float64[np.ndarray, "n c"]
    off: Float64[np.ndarray, "n c"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Of one attribute, by case: how the outputs change when it goes, and when it is switched off."""

    truth: Float64[np.ndarray, "n classes"]
    ablated: Float64[np.ndarray, "n classes"]
    erased: Float64[np.ndarray, "n classes"]
    random: Float64[np.ndarray, "g n classes"]


def drawn(explorer: Explorer, seen: BehindHead, cases: int, keep: Path) -> list[Drawn]:
    """The attributes that some label names; what was drawn before is read from `keep`."""
    named = {
        one.attributes[0]: one.of(seen.layer)
        for one in concepts(explorer, open_reviewing(explorer.run.name).states())
        if len(one.attributes) == 1 and one.of(seen.layer)
    }
    target, found = run_target(explorer.run), []
    folder = keep / explorer.run.fingerprint[:16]
    folder.mkdir(parents=True, exist_ok=True)
    own = [sample_case(FIRST_SEED + place) for place in range(cases)]
    for attribute in (name for name in ATTRIBUTES if name in named):
        file = folder / f"{attribute}-{cases}.npy"
        if not file.is_file():
            sides = [
                _seen(target, seen.layer, [with_attribute(case, attribute, shown) for case in own])
                for shown in (True, False)
            ]
            content = io.BytesIO()
            np.save(content, np.stack(sides))
            atomic.write_bytes(file, content.getvalue())
        on, off = np.load(file).astype(np.float64)
        found.append(Drawn(attribute, named[attribute], on, off))
    return found


def _seen(target: RunTarget, layer: str, cases: Sequence[Case]) -> Float[np.ndarray, "n c"]:
    batch = np.stack([target.model.preprocess(render(case)) for case in cases])
    with target.lock:
        activations: Float[np.ndarray, "n c"] = target.model.run(batch, [layer]).activations[layer]
    return activations


def measured(explorer: Explorer, seen: BehindHead, head: Head, found: Sequence[Drawn]) -> dict[str, Pairs]:
    """Both measures and the truth under one head."""
    run, pairs = explorer.run, {}
    shows = run.images[list(run.attributes)].to_numpy(dtype=bool)
    effects = own_effects(run.layer_activations(seen.layer), shows)
    if effects is None:
        raise BadInputError(f"the run {run.name} has too few images to tell its attributes apart")
    for one in found:
        before, rng = head.outputs(one.on), np.random.default_rng(0)
        groups = random_groups(len(seen.usual), len(one.neurons), one.neurons, rng, RANDOM)
        held = [_held(seen, one.on, neurons) for neurons in (one.neurons, *groups.tolist())]
        ablated, *random = (head.outputs(values) - before for values in held)
        pairs[one.attribute] = Pairs(
            truth=head.outputs(one.off) - before,
            ablated=ablated,
            erased=head.outputs(one.on - effects[run.attributes.index(one.attribute)]) - before,
            random=np.stack(random),
        )
    return pairs


def _held(
    seen: BehindHead, activations: Float64[np.ndarray, "n c"], neurons: Sequence[int]
) -> Float64[np.ndarray, "n c"]:
    """Some neurons at their mean over the probe images."""
    held = activations.copy()
    held[:, list(neurons)] = seen.usual[list(neurons)]
    return held


def agreement(pairs: Sequence[Pairs], measure: str, rows: np.ndarray) -> float:
    """The rank correlation of a measure with the truth, over attributes and classes."""
    sides = [[getattr(one, name)[rows].mean(axis=0) for one in pairs] for name in ("truth", measure)]
    return float(spearmanr(*map(np.concatenate, sides)).statistic)


def by_chance(pairs: Sequence[Pairs]) -> float:
    """The same for random groups of neurons, on average."""
    truth = np.concatenate([one.truth.mean(axis=0) for one in pairs])
    groups = [np.concatenate([one.random[group].mean(axis=0) for one in pairs]) for group in range(RANDOM)]
    return float(np.mean([spearmanr(truth, each).statistic for each in groups]))


def size(pairs: Sequence[Pairs], measure: str) -> float:
    """The sum of the changes by a measure, as a share of that of the true ones."""
    sums = [
        sum(np.abs(getattr(one, name).mean(axis=0)).sum() for one in pairs) for name in (measure, "truth")
    ]
    return float(sums[0] / sums[1])


def other_head(explorer: Explorer, seen: BehindHead, rng: np.random.Generator) -> Head:
    """Four classes, each a random sum of the attributes, read from the layer by ridge regression."""
    run = explorer.run
    shows = run.images[list(run.attributes)].to_numpy(dtype=np.float64)
    wanted = (shows - shows.mean(axis=0)) @ rng.normal(size=(shows.shape[1], 4))
    away = run.layer_activations(seen.layer).astype(np.float64) - seen.usual
    gram = away.T @ away
    gram += np.eye(len(gram)) * RIDGE * np.trace(gram) / len(gram)
    weights = np.linalg.solve(gram, away.T @ wanted)
    weights -= weights.mean(axis=1, keepdims=True)
    return Head(weights, -seen.usual @ weights, "softmax")


def document(explorer: Explorer, seen: BehindHead, found: Sequence[Drawn]) -> dict[str, object]:
    """All that is printed but the seconds."""
    pairs, cases, rng = measured(explorer, seen, seen.head, found), len(found[0].on), np.random.default_rng(0)
    own, everything = list(pairs.values()), np.arange(cases)
    draws = [rng.integers(0, cases, cases) for _ in range(RESAMPLES)]
    correlations, heads = {}, {"ablated": list[float](), "erased": list[float]()}
    for measure in heads:
        low, high = np.quantile([agreement(own, measure, rows) for rows in draws], [0.025, 0.975])
        value = agreement(own, measure, everything)
        correlations[measure] = {"value": round(value, 3), "low": round(low, 3), "high": round(high, 3)}
    for _ in range(HEADS):
        others = measured(explorer, seen, other_head(explorer, seen, rng), found)
        for measure, values in heads.items():
            values.append(agreement(list(others.values()), measure, everything))
    return {
        "ratio": round(size(own, "erased"), 3),
        "ratio_of": "sum of the changes when an attribute is erased from the layer, to that of the true ones",
        "ratio_ablated": round(size(own, "ablated"), 3),
        "rank_correlation": correlations,
        "random_groups": round(by_chance(own), 3),
        "other_heads": {
            name: dict(zip(("low", "median", "high"), _spread(values), strict=True))
            for name, values in heads.items()
        },
        "attributes": len(found),
        "cases": cases,
        "each": {
            name: {"neurons": len(one.neurons), **_each(pairs[name], explorer.run.manifest.classes)}
            for one in found
            for name in (one.attribute,)
        },
    }


def _spread(values: Sequence[float]) -> list[float]:
    return [round(float(value), 3) for value in np.quantile(values, [0.025, 0.5, 0.975])]


def _each(pairs: Pairs, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    return {
        measure: dict(zip(classes, np.round(getattr(pairs, measure).mean(axis=0), 4).tolist(), strict=True))
        for measure in ("truth", "ablated", "erased")
    }


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--keep", type=Path, default=home() / "benchmarks" / "reliance")
    options = parser.parse_args()
    began, explorer = time.monotonic(), open_explorer(options.run)
    seen = behind_head(explorer.run)
    if seen is None:
        raise SystemExit(f"no linear head follows a layer of {options.run}")
    told = document(explorer, seen, drawn(explorer, seen, options.cases, options.keep))
    print(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}, indent=1))


if __name__ == "__main__":
    main()
