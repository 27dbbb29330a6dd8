import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from csp.method.metrics.agreement import cohen_kappa, fleiss_kappa

VERDICTS = ("confirm", "override", "reject", "unsure")


@pytest.mark.parametrize("seed", range(5))
def test_cohen_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left = rng.choice(VERDICTS, 40, p=[0.6, 0.2, 0.1, 0.1]).tolist()
    right = [a if rng.random() < 0.6 else str(rng.choice(VERDICTS[:3])) for a in left]
    found = cohen_kappa(left, right)
    assert found.kappa == pytest.approx(cohen_kappa_score(left, right))
    assert found.kappa == pytest.approx(cohen_kappa(right, left).kappa)
    assert (found.n, found.observed) == (40, pytest.approx(np.mean(np.array(left) == np.array(right))))


def test_cohen_worked_by_hand() -> None:
    """50 grants read twice: yes/yes 20, yes/no 5, no/yes 10, no/no 15: p_o = 0.7, p_e = 0.5, kappa = 0.4."""
    left = ["yes"] * 25 + ["no"] * 25
    right = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(left, right)
    assert (found.observed, found.expected, found.kappa) == pytest.approx((0.7, 0.5, 0.4))


def test_fleiss_worked_example() -> None:
    """Ten subjects, fourteen raters, five categories: kappa = 0.210 (the example given with Fleiss 1971)."""
    rows = (
        "0 0 0 0 14|0 2 6 4 2|0 0 3 5 6|0 3 9 2 0|2 2 8 1 1|7 7 0 0 0|3 2 6 3 0|2 5 3 2 2|6 5 2 1 0|0 2 2 3 7"
    )
    counts = np.array([[int(one) for one in row.split()] for row in rows.split("|")])
    found = fleiss_kappa(counts)
    assert (found.kappa, found.observed, found.expected) == pytest.approx((0.210, 0.378, 0.213), abs=5e-4)


def test_fleiss_counts_pairs_of_raters() -> None:
    """A slow twin: pairs of raters of one subject, ratings drawn from all; numbers of raters differ."""
    rng = np.random.default_rng(3)
    ratings = [rng.integers(0, 3, raters).tolist() for raters in (2, 3, 5, 4, 2, 1)]
    judged = [one for one in ratings if len(one) > 1]
    agreeing = []
    for one in judged:
        pairs = [(a, b) for i, a in enumerate(one) for j, b in enumerate(one) if i != j]
        agreeing.append(sum(a == b for a, b in pairs) / len(pairs))
    everything = [rating for one in judged for rating in one]
    chance = sum((everything.count(kind) / len(everything)) ** 2 for kind in range(3))
    observed = sum(agreeing) / len(agreeing)
    found = fleiss_kappa(np.array([[one.count(kind) for kind in range(3)] for one in ratings]))
    assert found.kappa == pytest.approx((observed - chance) / (1 - chance))
    assert found.n == 5


def test_where_agreement_is_not_defined() -> None:
    assert math.isnan(cohen_kappa([], []).kappa)
    assert math.isnan(cohen_kappa(["confirm"] * 3, ["confirm"] * 3).kappa)
    assert cohen_kappa(["confirm"] * 3, ["confirm"] * 3).observed == 1
    assert math.isnan(fleiss_kappa(np.zeros((0, 4), dtype=np.int64)).kappa)
    assert math.isnan(fleiss_kappa(np.array([[3, 0], [2, 0]])).kappa)
    with pytest.raises(ValueError, match="2 and 1 ratings"):
        cohen_kappa(["a", "b"], ["a"])
