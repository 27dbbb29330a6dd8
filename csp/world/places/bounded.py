"""Waiting for servers: as long as they may take, and no longer."""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NoReturn, TypeVar

T = TypeVar("T")
_given_up: list[Thread] = []


def bounded(task: Callable[[], T], seconds: float) -> T:
    """What the task returns or raises; `TimeoutError` once it took too long (it is then left to itself)."""
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            done.put((task(), None))
        except BaseException as error:  # noqa: BLE001 # raised anew where the caller waits
            done.put((None, error))

    thread = Thread(target=work, daemon=True, name="server")
    thread.start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        _give_up(thread)
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None only where T is


def leave(code: int) -> NoReturn:
    """End the process, also while a task that took too long still holds it.

    At the end of Python, Arrow waits for whatever a server still tells it: one that trickles would keep the
    process for days after its last word.
    """
    _leave_what_was_given_up(code)
    sys.exit(code)


def _give_up(thread: Thread) -> None:
    if not _given_up:
        # Runs before what Arrow registered; scripts end here, with the code that Python would give.
        atexit.register(lambda: _leave_what_was_given_up(int(hasattr(sys, "last_value"))))
    _given_up[:] = [*(one for one in _given_up if one.is_alive()), thread]


def _leave_what_was_given_up(code: int) -> None:
    if any(thread.is_alive() for thread in _given_up):
        with suppress(OSError):  # nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
