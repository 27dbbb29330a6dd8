"""How often "nothing in this run fits" is right: `python -m benchmarks.nothing_fits [RUN]` prints JSON.

On a run whose dataset states what images show, and whose vocabulary says which text names what. Searches are
for each text that names one attribute: right is to find neurons where one follows that attribute clearly
(AUROC of at least 0.85 on held-out images), and to find nothing where none comes near (below 0.7). `ratio` is
the share of searches answered rightly beside that without the control, where each finds something. Then
labels: for neurons that follow an attribute clearly, how often the first label counts as noise when all texts
that name it are taken out of the vocabulary, and how often with them in.
"""

import json
import sys

import numpy as np

from csp.method.metrics.ground_truth import CLEAR, true_attributes
from csp.method.metrics.statistics import bootstrap_interval
from csp.work.control.control import layer_control
from csp.work.control.text_claims import text_claims, text_fits
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.metrics.ground_truth import attribute_table
from csp.work.splits import held_out

ABSENT = 0.7


def main() -> None:
    """Measure and print."""
    explorer = open_explorer(sys.argv[1] if len(sys.argv) > 1 else "demo")
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
                **_labels(explorer, layer, table),
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


def _labels(explorer: Explorer, layer: str, table: np.ndarray) -> dict[str, object]:
    run, followed = explorer.run, true_attributes(table)
    noise = layer_control(explorer, layer).noise_of_fit(explorer.stored_labels.first_labeler(layer))
    assert noise is not None and run.text_embeddings is not None
    fits, named = text_fits(run, layer, run.text_embeddings), list(run.vocabulary["attributes"])
    whole, without = [], []
    for neuron in np.flatnonzero(followed >= 0):
        others = np.array([run.attributes[followed[neuron]] not in names for names in named])
        whole.append(fits[neuron].max() <= noise.high)
        without.append(fits[neuron, others].max() <= noise.high)
    return {
        "labels_of_noise_without_the_true_term": _interval(np.array(without)),
        "labels_of_noise_with_it": _interval(np.array(whole)),
    }


def _interval(values: np.ndarray) -> dict[str, float | int] | None:
    if not len(values):
        return None
    found = bootstrap_interval(values.astype(np.float64), np.random.default_rng(0))
    return {"share": found.value, "low": found.low, "high": found.high, "n": found.n}


if __name__ == "__main__":
    main()
