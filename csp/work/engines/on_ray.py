"""Parts of a job worked out on a Ray cluster; what comes of them is given in their order.

Each worker opens its models once. When one is lost (killed, or its machine is gone), the others do its parts,
and another is asked for in its place.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from csp.errors import CspError, UnavailableError
from csp.extras import optional

AHEAD = 2
"""Parts that each worker has before it at most; bounds the memory here."""
PATIENCE = 300.0
"""Seconds within which a worker has to be there, with its models open, when there is none."""
KNOCK = 5.0
"""Seconds for a cluster to open its door."""
LOSSES = 5
"""So many workers may be lost for each that was asked for."""
TOLD = ("OMP_NUM_THREADS", "CSP_HOME")
"""What workers take over from the environment here. With as many threads a sum is taken in the same order
(Ray would set one a processor); the home holds what was added to runs that can't be written."""

OpenWork = Callable[[], Callable[[Any], Any]]


def on_ray(open_work: OpenWork, parts: Sequence[Any], address: str) -> Iterator[Any]:
    """What comes of the parts, in order.

    Raises `UnavailableError` without a cluster, and what a worker raised.
    """
    if not parts:
        return
    with optional():
        import ray
    begun = _connect(ray, address)
    crew = _Crew(ray, open_work, len(parts))
    try:
        yield from _in_order(ray, crew, parts)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None
    finally:
        crew.dismiss()
        if begun:
            ray.shutdown()


def _in_order(ray: Any, crew: "_Crew", parts: Sequence[Any]) -> Iterator[Any]:
    coming = iter(parts)
    waiting: deque[tuple[Any, Any, Any]] = deque()
    while True:
        for part in islice(coming, AHEAD * crew.count - len(waiting)):
            waiting.append((part, *crew.give(part)))
        if not waiting:
            return
        part, worker, result = waiting.popleft()
        try:
            found = ray.get(result)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError):
            crew.lost(worker)
            waiting.appendleft((part, *crew.give(part)))
        else:
            yield found


class _Crew:
    """The workers that are ready, in turn, and those that are still opening their models."""

    def __init__(self, ray: Any, open_work: OpenWork, parts: int) -> None:
        self._ray, self._losses = ray, 0
        there = ray.cluster_resources()
        kind = "GPU" if there.get("GPU") else "CPU"
        self.count = max(1, min(int(there.get(kind, 1)), parts))
        told = {name: os.environ[name] for name in TOLD if name in os.environ}
        options = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        self._made = ray.remote(_Worker).options(**options, runtime_env={"env_vars": told})
        self._given = ray.put(open_work)
        self._ready: list[Any] = []
        self._opening: dict[Any, Any] = {}
        for _ in range(self.count):
            self._ask_for_one()

    def give(self, part: Any) -> tuple[Any, Any]:
        """A part to the worker whose turn it is: that worker, and what is to come of it."""
        self._welcome()
        worker = self._ready.pop(0)
        self._ready.append(worker)
        return worker, worker.work.remote(part)

    def lost(self, worker: Any) -> None:
        """Another is asked for in its place. Raises `UnavailableError` where that happens all the time."""
        if worker in self._ready:  # else known from an earlier part
            self._ready.remove(worker)
            self._replace()

    def _replace(self) -> None:
        self._losses += 1
        if self._losses > LOSSES * self.count:
            raise UnavailableError(
                "workers of the Ray cluster are lost again and again (memory?); what is done is kept"
            )
        self._ask_for_one()

    def dismiss(self) -> None:
        """Nobody works on."""
        for worker in (*self._ready, *self._opening.values()):
            self._ray.kill(worker)

    def _ask_for_one(self) -> None:
        worker = self._made.remote(self._given)
        self._opening[worker.problem.remote()] = worker

    def _welcome(self) -> None:
        """Those that are ready by now join; where none is, the first is waited for."""
        while opened := self._opened():
            for one in opened:
                self._join(one)
            if self._ready:
                return
        if not self._ready:
            raise UnavailableError(
                f"no worker of the Ray cluster was ready within {PATIENCE:.0f} seconds; what is done is kept"
            )

    def _opened(self) -> list[Any]:
        """Answers of those that opened their models, or failed to; of the first one where none is ready."""
        opening = list(self._opening)
        if not opening:
            return []
        many, patience = (len(opening), 0.0) if self._ready else (1, PATIENCE)
        opened: list[Any] = self._ray.wait(opening, num_returns=many, timeout=patience)[0]
        return opened

    def _join(self, opened: Any) -> None:
        """One that opened its models; another is asked for in place of one that was lost over it."""
        worker = self._opening.pop(opened)
        try:
            problem = self._ray.get(opened)
        except self._ray.exceptions.RayActorError:
            self._replace()
            return
        if problem is not None:
            raise problem
        self._ready.append(worker)


class _Worker:
    """What runs on the cluster, with its models open."""

    def __init__(self, open_work: OpenWork) -> None:
        self._work: Callable[[Any], Any] | None = None
        self._problem: CspError | None = None
        try:
            self._work = open_work()
        except CspError as error:  # raised here it would count as a lost worker
            self._problem = error

    def problem(self) -> CspError | None:
        """Why it can't work."""
        return self._problem

    def work(self, part: Any) -> Any:
        """What comes of a part."""
        assert self._work is not None
        return self._work(part)


def _connect(ray: Any, address: str) -> bool:
    """Whether the connection was made here, and has to be ended."""
    if ray.is_initialized():
        return False
    host, colon, port = address.rpartition(":")
    try:
        if colon:  # Ray itself would knock for minutes
            socket.create_connection((host.rpartition("/")[2], int(port)), KNOCK).close()
        ray.init(address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError, OverflowError) as error:
        raise UnavailableError(
            f"there is no Ray cluster at {address!r}: start one (`ray start --head`), or leave out --engine"
        ) from error
    return True
