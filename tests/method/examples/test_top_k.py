"""The floor under the best entries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from csp.method.examples.top_k import floor_of_best


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(1, 400), st.booleans())
def test_at_least_m_entries_reach_the_floor(seed: int, n: int, m: int, ties: bool) -> None:
    values = np.random.default_rng(seed).normal(size=(3, n)).astype(np.float32)
    if ties:
        values = np.round(values)
    m = min(m, n)
    floor = floor_of_best(values, m)
    assert ((values >= floor).sum(axis=1) >= m).all()


def test_few_more_than_m_entries_reach_it() -> None:
    values = np.random.default_rng(0).normal(size=(20, 20_000)).astype(np.float32)
    assert (values >= floor_of_best(values, 50)).sum(axis=1).max() < 75


def test_the_floor_keeps_nothing_else_in_memory() -> None:
    found = floor_of_best(np.ones((3, 500), np.float32), 2)
    assert found.base is None or found.base.size == found.size
