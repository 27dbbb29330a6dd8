"""How often each labeler is right, by contrast rule and gamma, over runs of several classifiers.

    python -m scripts.demo.compare_labelers demo RUN ...

Each RUN needs images with attributes and a vocabulary that says which text names which, as `csp evaluate
--metric ground-truth` does. Prints one Markdown table: the share of clear neurons whose first label names the
truth, with a 95 % interval.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from csp.keeping.run_folder.run import Run
from csp.method.examples.contrast_rule import ContrastRule, parse_rule
from csp.method.examples.select_layer import select_all
from csp.method.labelers.registry import LABELERS
from csp.method.metrics.ground_truth import Verdict, true_attributes, verdict
from csp.method.metrics.statistics import bootstrap_interval
from csp.work.explorer.explorer import open_explorer
from csp.work.labels.scorer import Scorer, scorer_of
from csp.work.metrics.ground_truth import truth_table
from csp.work.splits import held_out

RULES = (
    "mean",
    "quantile:0.5",
    "quantile:0.25",
    "quantile:0.1",
    "neighbours:5",
    "quantile:0.1,neighbours:5",
    "least:0.7",
)
GAMMAS = (1.0, 0.75, 0.5, 0.25)
NO_RULE = ("consensus", "semanticlens", "clip-dissect", "clip-dissect-mean", "correlation")
"""Labelers to which look-alikes are nothing (as long as no pair is left out)."""

Right = dict[tuple[str, str], list[bool]]
"""By labeler and variant, whether each clear neuron's first label is true."""


def variants(rule: str) -> Iterator[tuple[str, str, float]]:
    """Labeler, name of the variant and gamma of all that this rule changes."""
    for gamma in GAMMAS:
        yield "csp", f"{rule}, gamma {gamma:g}", gamma
    yield "falcon", rule, 1.0
    if rule == "mean":
        for labeler in NO_RULE:
            yield labeler, "", 1.0


def judge(run: Run, rules: Sequence[str]) -> Right:
    """Every variant's first label of every neuron that follows one attribute clearly."""
    assert run.text_embeddings is not None, "a run with a vocabulary"
    scorer = scorer_of(run, run.text_embeddings)
    right: Right = {}
    for layer in run.layers:
        images, _ = held_out(run)
        followed = true_attributes(truth_table(run, layer, images))
        clear = np.flatnonzero(followed >= 0)
        activations = np.ascontiguousarray(run.layer_activations(layer)[:, clear])
        for text in rules:
            judge_layer(run, scorer, layer, activations, followed[clear], parse_rule(text), right)
    return right


def judge_layer(
    run: Run,
    scorer: Scorer,
    layer: str,
    activations: np.ndarray,
    followed: np.ndarray,
    rule: ContrastRule,
    right: Right,
) -> None:
    """Add what one rule gives for some neurons of a layer to `right`."""
    texts = scorer.text_embeddings
    meanings = [
        (set(names), bool(broad)) for names, broad in run.vocabulary[["attributes", "broad"]].to_numpy()
    ]
    selected = select_all(
        activations, run.embeddings, run.manifest.parameters.k, neighbours=run.neighbours, rule=rule
    )
    for column, attribute, examples in zip(activations.T, followed, selected, strict=True):
        evidence = scorer.evidence(layer, column, examples)
        for labeler, name, gamma in variants(str(rule)):
            fires = bool((examples.activation > 0).any())
            found = False
            if fires:
                named, broad = meanings[int(LABELERS[labeler](evidence, texts, gamma).argmax())]
                found = verdict(named, broad, run.attributes[attribute]) is Verdict.TRUE
            right.setdefault((labeler, name), []).append(found)


def main() -> None:
    """Judge each run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--rules", nargs="+", default=RULES)
    options = parser.parse_args()
    names = options.runs
    judged = {name: judge(open_explorer(name).run, options.rules) for name in names}
    counts = [len(next(iter(right.values()))) for right in judged.values()]
    print("| labeler | variant |", " | ".join(f"{n} ({c})" for n, c in zip(names, counts, strict=True)), "|")
    print("| --- " * (len(names) + 2) + "|")
    for key in next(iter(judged.values())):
        cells = [cell(right[key]) for right in judged.values()]
        print("|", " | ".join((*key, *cells)), "|")


def cell(right: list[bool]) -> str:
    """Share and interval."""
    found = bootstrap_interval(np.array(right, dtype=np.float64), np.random.default_rng(0))
    return f"{found.value:.3f} ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    main()
