"""How often "nothing fits" is right: `python -m benchmarks.nothing_fits [RUN] [--count N]` prints JSON.

Labels: made-up judging worlds in which for some or all neurons no text is right, and the neurons of a run
that follow one stated attribute clearly, with all texts that name it taken out of the vocabulary, with them
in, and shuffled. Of each the share for which nothing is claimed.

Searches, on the run: for each text that names one attribute right is to find neurons where one follows that
attribute clearly (AUROC of at least 0.85 on held-out images), and to find nothing where none comes near
(below 0.7). `ratio` is the share of searches answered rightly beside that without the control, where each
finds something.
"""

import argparse
import json
from dataclasses import replace

import numpy as np

from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import Named, name_all
from benchmarks.worlds.stored import run_worlds
from benchmarks.worlds.world import Purpose, World
from csp.method.chance.fitted import MODEL
from csp.method.chance.model import chances
from csp.method.metrics.ground_truth import CLEAR
from csp.method.metrics.statistics import bootstrap_interval
from csp.work.control.text_claims import text_claims
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.labels.chance import UNLIKELY
from csp.work.metrics.ground_truth import attribute_table
from csp.work.splits import held_out

ABSENT = 0.7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="demo")
    parser.add_argument("--count", type=int, default=5, help="made-up worlds of each family")
    options = parser.parse_args()
    explorer = open_explorer(options.run)
    layer = explorer.run.layers[-1]
    images, _ = held_out(explorer.run)
    table = attribute_table(explorer.run, layer, images)
    searches = _searches(explorer, layer, table)
    present, absent = (
        np.array([found for there, found in searches if there is kind]) for kind in (True, False)
    )
    right, usual = np.append(present, ~absent), np.append(np.ones(len(present)), np.zeros(len(absent)))
    print(
        json.dumps(
            {
                "ratio": float(right.mean() / usual.mean()) if usual.any() else None,
                "ratio_of": "searches answered rightly, with the control over without",
                "found_where_there": _interval(present),
                "nothing_where_absent": _interval(~absent),
                **_labels(options.run),
                "made_up": _made_up(options.count),
            }
        )
    )


def _searches(explorer: Explorer, layer: str, table: np.ndarray) -> list[tuple[bool, bool]]:
    """Of each text: whether a neuron follows what it names, and whether anything was found."""
    run, best, found = explorer.run, np.nanmax(table, axis=0, initial=0.0), []
    texts = run.text_embeddings
    assert texts is not None, "the run has a vocabulary"
    claims = text_claims(explorer, layer, texts)
    assert claims is not None, "and labels"
    for row, names in enumerate(run.vocabulary["attributes"]):
        if len(names) == 1 and names[0] in run.attributes:
            value = best[run.attributes.index(names[0])]
            if value >= CLEAR or value < ABSENT:
                found.append((bool(value >= CLEAR), bool(claims[:, row].any())))
    return found


def _made_up(count: int) -> dict[str, object]:
    """By family how often nothing is claimed where no text is right, and where one is."""
    found: dict[str, object] = {}
    for family in FAMILIES.values():
        named = [name_all(world) for world in family.worlds(Purpose.JUDGING, count)]
        there = np.concatenate([one.answerable[_neurons(one)] for one in named])
        nothing = np.concatenate([chances(one.facts(), MODEL) < UNLIKELY for one in named])
        found[family.name] = {
            "where_nothing_is_right": _interval(nothing[~there]),
            "where_something_is": _interval(nothing[there]),
        }
    return found


def _labels(run: str) -> dict[str, object]:
    """The same of a run's neurons with the true term, without it, and shuffled."""
    whole, shuffled = (name_all(world) for world in run_worlds(run))
    facts = whole.facts()
    usual, without = facts[0, -1], []
    for truth in set(whole.world.truths):
        named = name_all(_without(whole.world, truth))
        own = named.facts()
        own[:, -1] = usual  # the layer's other labels stay as they are
        without.append(chances(own, MODEL) < UNLIKELY)
    return {
        "nothing_claimed_without_the_true_term": _interval(np.concatenate(without)),
        "nothing_claimed_with_it": _interval(chances(facts, MODEL) < UNLIKELY),
        "nothing_claimed_of_shuffled": _interval(chances(shuffled.facts(), MODEL) < UNLIKELY),
    }


def _without(world: World, truth: frozenset[int]) -> World:
    """The neurons for which just these texts are right, and the vocabulary without them."""
    followers = [place for place, one in enumerate(world.truths) if one == truth]
    kept = [row for row in range(len(world.text_embeddings)) if row not in truth]
    return replace(
        world,
        activations=world.activations[:, followers],
        text_embeddings=world.text_embeddings[kept],
        truths=(frozenset(),) * len(followers),
    )


def _neurons(named: Named) -> list[int]:
    return [one.neuron for one in named.labelled]


def _interval(values: np.ndarray) -> dict[str, float | int] | None:
    if not len(values):
        return None
    found = bootstrap_interval(values.astype(np.float64), np.random.default_rng(0))
    return {"share": found.value, "low": found.low, "high": found.high, "n": found.n}


if __name__ == "__main__":
    main()
