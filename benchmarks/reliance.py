"""How well switching a concept's neurons off agrees with the truth, which the drawn world can tell.

The truth: the same cases are drawn with and without an attribute, and nothing else changes; what the
classifier says then changes for no other reason. Against it stands what `csp reliance` does: pictures with
the attribute, the neurons whose label in force means it held at their mean. Over all attributes that some
label names and all classes: Spearman's rank correlation, its 95 % interval over cases, and beside it that of
random groups of as many neurons. New cases, which no model and no label has seen.

python -m benchmarks.reliance --run demo --cases 40
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.stats import spearmanr

from csp.method.reliance import random_groups
from csp.work.explorer.explorer import open_explorer
from csp.work.models.reopen import run_target
from csp.work.reliance.concepts import concepts
from csp.work.reliance.heads import BehindHead, behind_head
from csp.work.reviews.desk import open_reviewing
from csp.world.dermoscopy import ATTRIBUTES, render, sample_case, with_attribute

FIRST_SEED = 90_000_000
"""No other seed of the project is as high."""
RANDOM, RESAMPLES = 20, 500


@dataclass(frozen=True, eq=False)
class Pairs:
    """One attribute: what the classifier says of the cases with it, without it, and with its neurons off."""

    attribute: str
    neurons: int
    on: Float64[np.ndarray, "n classes"]
    off: Float64[np.ndarray, "n classes"]
    ablated: Float64[np.ndarray, "n classes"]
    random: Float64[np.ndarray, "g n classes"]


def measured(run: str, cases: int) -> tuple[list[Pairs], tuple[str, ...]]:
    """The attributes that some label names, each on the same cases."""
    explorer = open_explorer(run)
    seen = behind_head(explorer.run)
    if seen is None:
        raise SystemExit(f"no linear head follows a layer of {run}")
    named = {
        one.attributes[0]: one.of(seen.layer)
        for one in concepts(explorer, open_reviewing(run).states())
        if len(one.attributes) == 1 and one.of(seen.layer)
    }
    target, found = run_target(explorer.run), []
    for attribute in (name for name in ATTRIBUTES if name in named):
        drawn = [sample_case(FIRST_SEED + place) for place in range(cases)]
        sides = []
        for shown in (True, False):
            pictures = [render(with_attribute(case, attribute, shown)) for case in drawn]
            batch = np.stack([target.model.preprocess(picture) for picture in pictures])
            with target.lock:
                said = target.model.run(batch, [seen.layer])
            assert said.probabilities is not None  # a linear head makes them
            sides.append((said.activations[seen.layer], said.probabilities.astype(np.float64)))
        activations = sides[0][0]
        groups = random_groups(
            len(seen.usual), len(named[attribute]), named[attribute], np.random.default_rng(0)
        )
        found.append(
            Pairs(
                attribute,
                len(named[attribute]),
                sides[0][1],
                sides[1][1],
                switched_off(seen, activations, named[attribute]),
                np.stack([switched_off(seen, activations, group.tolist()) for group in groups[:RANDOM]]),
            )
        )
    return found, explorer.run.manifest.classes


def switched_off(
    seen: BehindHead, activations: Float[np.ndarray, "n c"], neurons: Sequence[int]
) -> Float64[np.ndarray, "n classes"]:
    """The answers to new pictures with some neurons at their mean over the probe images."""
    held = activations.astype(np.float64)
    held[:, list(neurons)] = seen.usual[list(neurons)]
    return seen.head.outputs(held)


def agreement(pairs: Sequence[Pairs], rows: np.ndarray) -> tuple[float, float, float]:
    """Rank correlation with the truth of the ablation and of random groups, and how much of it is found."""
    truth = np.concatenate([(one.off - one.on)[rows].mean(axis=0) for one in pairs])
    ablated = np.concatenate([(one.ablated - one.on)[rows].mean(axis=0) for one in pairs])
    random = [
        np.concatenate([(one.random[group] - one.on)[rows].mean(axis=0) for one in pairs])
        for group in range(RANDOM)
    ]
    by_chance = float(np.mean([spearmanr(truth, each).statistic for each in random]))
    return (
        float(spearmanr(truth, ablated).statistic),
        by_chance,
        float(np.abs(ablated).sum() / np.abs(truth).sum()),
    )


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--cases", type=int, default=40)
    options = parser.parse_args()
    began = time.monotonic()
    pairs, classes = measured(options.run, options.cases)
    everything = np.arange(options.cases)
    rng = np.random.default_rng(0)
    drawn = [agreement(pairs, rng.integers(0, options.cases, options.cases))[0] for _ in range(RESAMPLES)]
    correlation, by_chance, ratio = agreement(pairs, everything)
    low, high = np.quantile(drawn, [0.025, 0.975])
    document = {
        "ratio": round(ratio, 3),
        "ratio_of": "sum of the changes that switching neurons off makes, to that of the true ones",
        "rank_correlation": {"value": round(correlation, 3), "low": round(low, 3), "high": round(high, 3)},
        "random_groups": round(by_chance, 3),
        "attributes": len(pairs),
        "cases": options.cases,
        "seconds": round(time.monotonic() - began, 1),
        "each": {
            one.attribute: {
                "neurons": one.neurons,
                "truth": dict(zip(classes, (one.off - one.on).mean(axis=0).round(4).tolist(), strict=True)),
                "ablated": dict(
                    zip(classes, (one.ablated - one.on).mean(axis=0).round(4).tolist(), strict=True)
                ),
            }
            for one in pairs
        },
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
