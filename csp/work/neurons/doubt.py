"""How doubtful the machine's first labels are, and why: the order in which people should look at neurons.

A label is doubtful when it is less likely to be true (`csp.work.labels.chance`) than a person wants it to be;
doubt is then 1 minus that chance. Where no chance was worked out, doubtful is what fits no better than noise,
and doubt only an order within the layer:

Two things speak against a first label: a text that means something else fits almost as well, and the label
explains little of when the neuron fires. Each of these measures gives a neuron a rank among the labelled ones
of its layer, 1 for the most doubtful, and

    doubt = mean of the ranks of -lead and of minus each measure of faithfulness that was taken

`lead` is the score of the first label minus that of the best text that means something else
(`csp.work.labels.synonyms`). The margin to the very next text does not count: that text is mostly another
word for the same thing. On the demo, where the truth is known, the margin tells wrong first labels from right
ones no better than a coin, while doubt puts almost only wrong ones first (docs/reviews.md).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from csp.counts import percent
from csp.method.labelers.bootstrap import STABLE
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import chance_words

DOUBTFUL = 0.5
"""A first label that is less likely to be true than this is doubtful, unless a person sets another chance."""
WORST = 0.75
"""From this rank on a measure speaks against a label: it is among the worst quarter of the layer."""
DOUBTS = ("lead", "rival", "meanings", "doubt", "doubts")
MANY = 2
"""Methods whose first labels mean more than so many different things are at odds."""


def doubts(explorer: Explorer, layer: str, stability: pd.Series, faithful: pd.DataFrame) -> pd.DataFrame:
    """The columns `DOUBTS`, one row for each row of `stability` and `faithful`, which go by neuron.

    `doubt` and `lead` are NaN for a neuron without labels; `doubts` lists what speaks against its label, see
    `why`.
    """
    stored, neurons = explorer.stored_labels, stability.index.to_numpy(np.int64)
    labels, each = stored.first_rows(layer), stored.each_first(layer)
    rivals, lead = explorer.synonyms.meanings(labels.texts).rivals(*labels.wide(neurons))
    leads = pd.Series(lead, stability.index)
    ranks = pd.concat([leads, faithful], axis=1).rank(ascending=False, pct=True)
    found = pd.DataFrame(
        {
            "lead": leads,
            "rival": pd.Series(np.array((*labels.texts, None), object)[rivals], leads.index, object),
            "meanings": explorer.synonyms.meanings(each.texts).different(each.wide(neurons)[0]),
            "doubt": ranks.mean(axis=1).where(leads.notna()),
        }
    )
    signs = {
        "close": ranks.iloc[:, 0] >= WORST,
        "little": ranks.iloc[:, 1:].mean(axis=1) >= WORST,
        "methods": found["meanings"] > MANY,
        "unstable": stability < STABLE,
    }
    held = zip(*(sign.tolist() for sign in signs.values()), strict=True)
    reasons = [[name for name, holds in zip(signs, one, strict=True) if holds] for one in held]
    return found.assign(doubts=pd.Series(reasons, leads.index, object))


def doubtful(rows: pd.DataFrame, under: float = DOUBTFUL) -> pd.Series:
    """Of rows with `machine_label`, `chance` and `above_noise`: whose label is less likely than `under`.

    Where its chance is not known, whose label fits no better than noise.
    """
    less = (rows["chance"] < under).where(rows["chance"].notna(), ~rows["above_noise"].astype(bool))
    return less.astype(bool) & rows["machine_label"].notna()


def why_doubtful(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Why a doubtful label is so: its chance, or that it is noise; then what else speaks against it."""
    known = row["chance"] == row["chance"]
    first = chance_words(row["chance"]) if known else "it fits no better than noise"
    return (first, *why(row))


def why(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What speaks against the first label of a row with `DOUBTS` and `stability`, a short sentence each."""
    rival = f"“{row['rival']}” fits" if row["rival"] else "other labels fit"
    words = {
        "close": f"{rival} almost as well (the label is {row['lead']:.3f} ahead)",
        "little": "the label explains little of when the neuron fires",
        "methods": f"the methods name {row['meanings']} different things",
        "unstable": f"the label stays the best in only {percent(row['stability'])} of draws",
    }
    return tuple(words[name] for name in row["doubts"])
