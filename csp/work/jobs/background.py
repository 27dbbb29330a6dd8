"""Work of seconds that a page does not wait for: a thread of the server does it, and all who ask share it.

    task = BACKGROUND.ask(key, work)     # begins `work`, or finds it under way or done
    task.wait(0.3)                       # whether it is done when it is that old
    task.result()                        # what `work` gave; raises what it raised

A task lives as long as somebody holds it, in Streamlit's session state for instance. One that nobody holds
any more is not begun, and its result goes. So Cancel, moving on and a closed tab are all the same: to let go.
Work of minutes is a job (`csp.work.jobs.jobs`), which outlives the server.
"""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from threading import Lock
from typing import Any, Generic, TypeVar, cast
from weakref import WeakValueDictionary, ref

T = TypeVar("T")

THREADS = 4
"""Most of them wait for a model's lock, and what is kept already is answered meanwhile."""


class Task(Generic[T]):
    """One piece of work that somebody asked for."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._future: Future[T] = Future()

    @property
    def seconds(self) -> float:
        """How long ago it was asked for."""
        return time.monotonic() - self._begun

    @property
    def finished(self) -> bool:
        """Whether there is a result, or an error."""
        return self._future.done()

    @property
    def failed(self) -> bool:
        """Whether its work raised."""
        return self.finished and self._future.exception() is not None

    def wait(self, age: float) -> bool:
        """Whether it is finished, waiting at most until it is `age` seconds old."""
        wait_for([self._future], max(0.0, age - self.seconds))
        return self.finished

    def result(self) -> T:
        """What came of a finished task; raises what its work raised."""
        return self._future.result(0)

    def work_in(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> None:
        """Begin, once a thread is free, unless nobody holds the task any more by then."""
        held = ref(self)
        self._future = threads.submit(lambda: work() if held() is not None else cast(T, None))


class Background:
    """The tasks of one server."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="background")
        self._tasks: WeakValueDictionary[Hashable, Task[Any]] = WeakValueDictionary()
        self._asking = Lock()

    def ask(self, key: Hashable, work: Callable[[], T]) -> Task[T]:
        """The task of this key: the one that somebody holds, unless it failed, else a new one for `work`."""
        with self._asking:
            task: Task[T] | None = self._tasks.get(key)
            if task is None or task.failed:
                task = self._tasks[key] = Task()
                task.work_in(self._threads, work)
            return task


BACKGROUND = Background()
