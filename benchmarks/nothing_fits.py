"""How often "nothing fits" is right: `python -m benchmarks.nothing_fits [RUN] ...` prints JSON.

Labels: made-up judging worlds in which for some or all neurons no text is right, and the neurons of a run
that follow one stated attribute clearly, with all texts that name it taken out of the vocabulary, with them
in, and shuffled. Of each the share for which nothing is claimed.

Searches, on the run: for each text that names one attribute right is to find neurons where one follows that
attribute clearly (AUROC of at least 0.85 on held-out images), and to find nothing where none comes near
(below 0.7). The thousand names of ImageNet's classes, none of which the demo's pictures show, are to find
nothing; so are as many random directions spread as the vocabulary's texts are, which is what chance gives. Of
the neurons that are found for a text about one attribute: how many follow it, beside how many of all do.
`ratio` is the share of searches answered rightly beside that without the control, where each finds something.
"""

import argparse
import json
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from torchvision.models import ResNet50_Weights

from benchmarks.worlds.families import FAMILIES
from benchmarks.worlds.judge import Named, name_all
from benchmarks.worlds.stored import run_worlds
from benchmarks.worlds.world import Purpose, World
from csp.method.chance.facts import layer_of
from csp.method.chance.fitted import MODEL
from csp.method.chance.model import chances
from csp.method.metrics.ground_truth import CLEAR
from csp.method.metrics.statistics import bootstrap_interval
from csp.work.control.text_claims import text_claims
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.labels.chance import UNLIKELY
from csp.work.metrics.ground_truth import attribute_table
from csp.work.models.reopen import run_encoder
from csp.work.splits import held_out

ABSENT = 0.7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="demo")
    parser.add_argument("--layer", help="whose neurons are searched; the last layer if left out")
    parser.add_argument("--count", type=int, default=5, help="made-up worlds a family; 0: only searches")
    options = parser.parse_args()
    explorer = open_explorer(options.run)
    layer = options.layer or explorer.run.layers[-1]
    images, _ = held_out(explorer.run)
    table = attribute_table(explorer.run, layer, images)
    best, follows, claims = _searches(explorer, layer, table)
    any_found: Bool[np.ndarray, " t"] = np.any(claims, axis=0)
    present, absent = any_found[best >= CLEAR], any_found[best < ABSENT]
    right, usual = np.append(present, ~absent), np.append(np.ones(len(present)), np.zeros(len(absent)))
    print(
        json.dumps(
            {
                "ratio": float(right.mean() / usual.mean()) if usual.any() else None,
                "ratio_of": "searches answered rightly, with the control over without",
                "found_where_there": _interval(present),
                "nothing_where_absent": _interval(~absent),
                "nothing_for": _strange(explorer, layer),
                "found_that_follow": _interval(follows[claims] >= CLEAR),
                "all_that_follow": _interval(follows[np.isfinite(follows)] >= CLEAR),
                **(_labels(options.run) | {"made_up": _made_up(options.count)} if options.count else {}),
            }
        )
    )


def _searches(
    explorer: Explorer, layer: str, table: Float[np.ndarray, "c a"]
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, "c t"], Bool[np.ndarray, "c t"]]:
    """Of each text that names one attribute: the best neuron's AUROC for it, every neuron's, who is found."""
    run = explorer.run
    texts = run.text_embeddings
    assert texts is not None, "the run has a vocabulary"
    of_row = {
        row: run.attributes.index(names[0])
        for row, names in enumerate(run.vocabulary["attributes"])
        if len(names) == 1 and names[0] in run.attributes
    }
    follows = table[:, list(of_row.values())]
    return np.nanmax(follows, axis=0, initial=0.0), follows, _claims(explorer, layer, texts[list(of_row)])


def _strange(explorer: Explorer, layer: str) -> dict[str, object]:
    """How often nothing is found for what the pictures don't show, and for random directions."""
    texts = explorer.run.text_embeddings
    assert texts is not None, "the run has a vocabulary"
    names = ResNet50_Weights.IMAGENET1K_V2.meta["categories"]
    parameters, encoder = explorer.run.manifest.parameters, run_encoder(explorer.run)
    with encoder.lock:
        named = encoder.model.embed_texts(names, parameters.templates, parameters.renormalise)
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(texts.mean(axis=0), np.cov(texts.T), len(names))
    drawn = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    found = {"classes of ImageNet": named, "random directions": drawn}
    return {
        name: _interval(1 - np.max(_claims(explorer, layer, rows), axis=0)) for name, rows in found.items()
    }


def _claims(explorer: Explorer, layer: str, texts: Float[np.ndarray, "t d"]) -> Bool[np.ndarray, "c t"]:
    claims = text_claims(explorer, layer, texts)
    assert claims is not None, "the run has labels and a control"
    return claims


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
    facts = whole.own_facts()
    layer, without = layer_of(facts), []
    for truth in set(whole.world.truths):
        named = name_all(_without(whole.world, truth))
        # beside the layer's other labels as they are
        without.append(chances(layer.complete(named.own_facts()), MODEL) < UNLIKELY)
    return {
        "nothing_claimed_without_the_true_term": _interval(np.concatenate(without)),
        "nothing_claimed_with_it": _interval(chances(layer.complete(facts), MODEL) < UNLIKELY),
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
