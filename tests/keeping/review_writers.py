"""Processes of their own that write to the record; some kill themselves, as by `kill -9`."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

from sqlalchemy import event

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from tests.keeping.entries import entry


def write_and_die(location: Location, said: Entry, moments: int) -> bool:
    """Record an entry, but die before the statement or commit number `moments`; whether it got through."""
    process = _processes().Process(target=_write_and_die, args=(location, said, moments))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def write_at_once(location: Location, names: list[str], count: int) -> None:
    """Several processes, one a name, each record `count` verdicts of that reviewer at the same time."""
    _together([(_write_many, (location, name, count)) for name in names])


def open_at_once(location: Location, count: int) -> None:
    """Several processes open the same empty database at the same time."""
    _together([(_write_many, (location, f"opener {number}", 1)) for number in range(count)])


def _together(jobs: list[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
    processes = [_processes().Process(target=target, args=arguments) for target, arguments in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def _processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "csp.keeping.reviews.database"])
    return context


def _write_and_die(location: Location, said: Entry, moments: int) -> None:
    with Reviews(location) as reviews:
        engine, left = reviews._database().engine, moments

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
        reviews.record(said)


def _write_many(location: Location, name: str, count: int) -> None:
    with Reviews(location, patience=60) as reviews:
        for neuron in range(count):
            reviews.record(entry(neuron=neuron, reviewer=name))
