"""How far the reviewers of a run agree, and where they don't."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from csp.keeping.reviews.event import Reviewer
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import VERDICTS
from csp.method.metrics.agreement import Agreement, cohen_kappa, fleiss_kappa
from csp.work.reviews.desk import Spot

States = Mapping[Spot, NeuronReview]


def agreement(states: States) -> dict[str, Any]:
    """Cohen's kappa of each pair of reviewers, and Fleiss' kappa of all where there are more than two.

    Compared are verdicts (confirm, override, reject, unsure), each person's latest. `n` counts the neurons
    that both (or at least two) judged. As JSON; kappa is NaN where it is not defined.
    """
    ratings = {
        spot: {who: str(event.verdict) for who, event in state.verdicts.items()}
        for spot, state in states.items()
    }
    people = sorted({who for given in ratings.values() for who in given})
    return {
        "reviewers": [{"reviewer": who.name, "verified": who.verified} for who in people],
        "neurons": sum(len(given) > 1 for given in ratings.values()),
        "pairs": [_pair(ratings, left, right) for left, right in combinations(people, 2)],
        "fleiss": _numbers(fleiss_kappa(_counts(ratings))) if len(people) > 2 else None,
        "conflicts": sum(state.disputed for state in states.values()),
    }


def conflicts(states: States) -> list[dict[str, Any]]:
    """The neurons on which people differ, with each person's latest verdict; as JSON."""
    return [
        {
            "layer": layer,
            "neuron": neuron,
            "machine_label": state.machine_label,
            "verdicts": [
                {
                    "reviewer": event.reviewer,
                    "verified": event.reviewer_verified,
                    "verdict": str(event.verdict),
                    "label": event.label,
                    "reason": event.reason,
                    "at": event.at.isoformat(timespec="seconds"),
                }
                for event in state.verdicts.values()
            ],
        }
        for (layer, neuron), state in states.items()
        if state.disputed
    ]


def _pair(ratings: Mapping[Spot, Mapping[Reviewer, str]], left: Reviewer, right: Reviewer) -> dict[str, Any]:
    both = [given for given in ratings.values() if left in given and right in given]
    found = cohen_kappa([given[left] for given in both], [given[right] for given in both])
    return {"left": left.name, "right": right.name} | _numbers(found)


def _counts(ratings: Mapping[Spot, Mapping[Reviewer, str]]) -> np.ndarray:
    kinds = [str(verdict) for verdict in VERDICTS]
    rows = [[list(given.values()).count(kind) for kind in kinds] for given in ratings.values()]
    return np.array(rows, dtype=np.int64).reshape(-1, len(kinds))


def _numbers(found: Agreement) -> dict[str, Any]:
    return {"kappa": found.kappa, "observed": found.observed, "expected": found.expected, "n": found.n}
