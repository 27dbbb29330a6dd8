"""The same work on many things, on as many processors as a matrix product uses."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Thing = TypeVar("Thing")
Result = TypeVar("Result")

_taken = Lock()
"""The number of threads of a matrix product is one for the whole process, so one caller at a time sets it."""


def in_threads(work: Callable[[Thing], Result], things: Iterable[Thing]) -> list[Result]:
    """What `work` gives of each thing, in order.

    As many are worked on at once as a matrix product has threads (`OMP_NUM_THREADS`, else the processors);
    each product then has one. So what NumPy does on one processor alone keeps the others busy, too. Called
    from within `work`, or while another thread of the process calls it, things are worked on in turn.
    """
    if not _taken.acquire(blocking=False):
        return [work(thing) for thing in things]
    try:
        products = _products()
        threads = max((library["num_threads"] for library in products.info()), default=1)
        if threads == 1:
            return [work(thing) for thing in things]
        with products.limit(limits=1), ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, things))
    finally:
        _taken.release()


@cache
def _products() -> ThreadpoolController:
    """The libraries that multiply for NumPy, and for what was loaded before the first call."""
    return ThreadpoolController().select(user_api="blas")
