"""Waiting for servers: as long as they may take, and no longer."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def bounded(task: Callable[[], T], seconds: float) -> T:
    """What the task returns or raises; `TimeoutError` once it took too long (it is then left to itself)."""
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            done.put((task(), None))
        except BaseException as error:  # noqa: BLE001 # raised anew where the caller waits
            done.put((None, error))

    Thread(target=work, daemon=True, name="server").start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None only where T is
