"""Batches of an indexing worked out on a Ray cluster; they come back in order, so the run is the same.

Each worker opens both models once. When one is lost (killed, or its machine is gone), the others do its
batches, and another is asked for in its place. Only the process that asked for them writes the run.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from csp.errors import CspError, UnavailableError
from csp.extras import optional
from csp.keeping.run_folder.batches import Batch

if TYPE_CHECKING:
    from csp.work.indexing.index import IndexJob

AHEAD = 2
"""Batches that each worker has before it at most; bounds the memory here."""
PATIENCE = 300.0
"""Seconds within which a worker has to be there, with its models open, when there is none."""
KNOCK = 5.0
"""Seconds for a cluster to open its door."""
LOSSES = 5
"""So many workers may be lost for each that was asked for."""
THREADS = "OMP_NUM_THREADS"

OpenJob = Callable[[], "IndexJob"]
Rows = tuple[int, int]


def ray_batches(open_job: OpenJob, rows: Sequence[Rows], address: str) -> Iterator[Batch]:
    """The batches in order. Raises `UnavailableError` without a cluster, and what a worker raised."""
    with optional():
        import ray
    begun = _connect(ray, address)
    crew = _Crew(ray, open_job, len(rows))
    try:
        yield from _in_order(ray, crew, rows)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None
    finally:
        crew.dismiss()
        if begun:
            ray.shutdown()


def _in_order(ray: Any, crew: "_Crew", rows: Sequence[Rows]) -> Iterator[Batch]:
    coming = iter(rows)
    waiting: deque[tuple[Rows, Any, Any]] = deque()
    while True:
        while len(waiting) < AHEAD * crew.count and (some := next(coming, None)):
            waiting.append((some, *crew.give(some)))
        if not waiting:
            return
        some, worker, result = waiting.popleft()
        try:
            yield ray.get(result)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError):
            crew.lost(worker)
            waiting.appendleft((some, *crew.give(some)))


class _Crew:
    """The workers that are ready, in turn, and those that are still opening their models."""

    def __init__(self, ray: Any, open_job: OpenJob, batches: int) -> None:
        self._ray, self._losses = ray, 0
        there = ray.cluster_resources()
        kind = "GPU" if there.get("GPU") else "CPU"
        self.count = max(1, min(int(there.get(kind, 1)), batches))
        # With as many threads as here a sum is taken in the same order; Ray would set one a processor.
        threads = {THREADS: os.environ[THREADS]} if THREADS in os.environ else {}
        options = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        self._made = ray.remote(_Worker).options(**options, runtime_env={"env_vars": threads})
        self._given = ray.put(open_job)
        self._ready: list[Any] = []
        self._opening: dict[Any, Any] = {}
        for _ in range(self.count):
            self._ask_for_one()

    def give(self, rows: Rows) -> tuple[Any, Any]:
        """Some rows to the worker whose turn it is: that worker, and its batch to come."""
        self._welcome()
        worker = self._ready.pop(0)
        self._ready.append(worker)
        return worker, worker.batch.remote(rows)

    def lost(self, worker: Any) -> None:
        """Another is asked for in its place. Raises `UnavailableError` where that happens all the time."""
        if worker not in self._ready:  # known from an earlier batch
            return
        self._ready.remove(worker)
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
        opened, _ = (
            self._ray.wait(
                list(self._opening),
                num_returns=max(1, len(self._opening)) if self._ready else 1,
                timeout=0 if self._ready else PATIENCE,
            )
            if self._opening
            else ([], [])
        )
        for one in opened:
            worker = self._opening.pop(one)
            try:
                problem = self._ray.get(one)
            except self._ray.exceptions.RayActorError:
                continue
            if problem is not None:
                raise problem
            self._ready.append(worker)
        if not self._ready:
            raise UnavailableError(
                f"no worker of the Ray cluster was ready within {PATIENCE:.0f} seconds; what is done is kept"
            )


class _Worker:
    """What runs on the cluster: one pair of models."""

    def __init__(self, open_job: OpenJob) -> None:
        self._job: IndexJob | None = None
        self._problem: CspError | None = None
        try:
            self._job = open_job()
        except CspError as error:  # raised here it would count as a lost worker
            self._problem = error

    def problem(self) -> CspError | None:
        """Why it can't work."""
        return self._problem

    def batch(self, rows: Rows) -> Batch:
        """The batch of these rows of the dataset."""
        assert self._job is not None
        return self._job.batch(*rows)


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
