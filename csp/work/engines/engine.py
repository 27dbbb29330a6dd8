"""Which engine works out the parts of a long job: this process, or the workers of a Ray cluster.

A part is worked out from what stands in it alone, and what comes of it is the same wherever that is done:
to the bit on the same kind of processor and with as many threads. Only the process that asked writes it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from csp.work.engines.on_ray import on_ray

Part = TypeVar("Part")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Engine:
    """Where the parts of a job are worked out."""

    name: Literal["local", "ray"] = "local"
    address: str = "auto"
    """Of the Ray cluster; `auto`: the one of this machine."""

    def each(
        self,
        parts: Sequence[Part],
        here: Callable[[Part], Found],
        there: Callable[[], Callable[[Part], Found]],
    ) -> Iterator[Found]:
        """What comes of each part, in order, each when asked for.

        `here` works one out in this process. `there` is called once on every worker of a cluster, opens what
        the work needs, and gives what `here` is on that worker. It is sent over, as are parts and results.

        Raises what the work raises; UnavailableError without a cluster, or where it loses all its workers.
        """
        return map(here, parts) if self.name == "local" else on_ray(there, parts, self.address)


HERE = Engine()
