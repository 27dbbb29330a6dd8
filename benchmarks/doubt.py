"""Which order of a review queue finds wrong labels first: `python -m benchmarks.doubt [RUN] [--layer L]`.

Prints JSON. A first label counts as wrong where it misses what the neuron clearly follows, and where the
neuron follows no one thing; `csp evaluate RUN --metric ground-truth --in-place` tells both. `ratio` is the
share of wrong labels among the first 50 by chance beside that among all. Labels of what is lacking have no
chance and no lead.
"""

import argparse
import json

import pandas as pd
from scipy.stats import mannwhitneyu

from csp.keeping.run_folder.added_tables import Additions
from csp.method.labelers.registry import FIRST
from csp.work.explorer.explorer import open_explorer
from csp.work.metrics.results import read
from csp.work.neurons.rows import machine_rows

ORDERS = ("margin", "lead", "chance")
LOOKED_AT = 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="demo")
    parser.add_argument("--layer", help="the last layer if left out")
    options = parser.parse_args()
    explorer = open_explorer(options.run)
    layer = options.layer or explorer.run.layers[-1]
    told = read(Additions(explorer.run))
    truth = told[(told["layer"] == layer) & (told["labeler"] == FIRST) & (told["metric"] == "truth")]
    rows = machine_rows(explorer, layer).frame.set_index("neuron")
    wrong = ~rows.index.isin(truth.loc[truth["value"] > 0, "neuron"])
    doubtful = rows["doubtful"].astype(bool)
    orders = {name: _order(rows[name].astype(float), pd.Series(wrong, rows.index)) for name in ORDERS}
    print(
        json.dumps(
            {
                "ratio": round(orders["chance"]["wrong_among_first"] / wrong.mean(), 3),
                "ratio_of": f"wrong among the first {LOOKED_AT} by chance, to wrong among all",
                "labels": len(rows),
                "wrong": int(wrong.sum()),
                "clear": len(truth),
                "clear_of_which_nothing_is_claimed": int(
                    (~rows.loc[truth["neuron"], "above_noise"].astype(bool)).sum()
                ),
                "orders": orders,
                "doubtful": int(doubtful.sum()),
                "wrong_of_doubtful": round(float(wrong[doubtful].mean()), 3),
                "wrong_of_others": round(float(wrong[~doubtful].mean()), 3),
            }
        )
    )


def _order(sure: pd.Series, wrong: pd.Series) -> dict[str, float]:
    """Of an order that begins with the least sure: AUROC for wrong labels, and how many come first."""
    known = sure.dropna()
    theirs, others = known[wrong[known.index]], known[~wrong[known.index]]
    statistic = mannwhitneyu(others, theirs).statistic
    first = known.sort_values(kind="stable").index[:LOOKED_AT]
    return {
        "auroc": round(float(statistic) / (len(theirs) * len(others)), 3),
        "wrong_among_first": round(float(wrong[first].mean()), 3),
        "labels": len(known),
    }


if __name__ == "__main__":
    main()
