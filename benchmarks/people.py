"""How much longer people wait when others look, too: the server by itself, asked as browsers ask it.

    python -m benchmarks.people [--run demo] [--home FOLDER] [--people 10] [--crowd 40] [--look 5] [--moves 8]
                                [--views 500]

One person, then `--people`, then `--crowd` go from neuron to neuron and look `--look` seconds at each. No
browser takes part: each person is a session of Streamlit's own protocol, that sends the next address and
reads until the page is complete. The server is held to one processor, the people to the others. Printed: what
a person waits, the server's processor time for a view (which other work on the machine changes little),
errors (an exception on the page, a page that does not come), and the server's memory while one person sees
`--views` neurons more. `ratio` is the median wait of `--people` over that of one.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

from benchmarks.pages import served_app, spent

MEGABYTE = 2**20
PATIENCE = 120.0
"""Seconds after which a page counts as one that does not come."""
WARM_UP = 3
"""Views of each person that are not counted."""
NEURONS = 200
"""So many neurons of the run are looked at."""
SETTLED = NEURONS
"""Views after which all that the server keeps is there, and between two samples of its memory."""


@dataclass
class Seen:
    """What came of the views of some people."""

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Visitor:
    """One session."""

    def __init__(self, socket: ClientConnection, run: str) -> None:
        self._socket, self._run = socket, run

    async def see(self, neuron: int) -> str | None:
        """Go to a neuron's page and read all of it; what was wrong with it."""
        asked = BackMsg()
        asked.rerun_script.query_string = urlencode({"run": self._run, "neuron": neuron})
        asked.rerun_script.page_name = "neuron"
        await self._socket.send(asked.SerializeToString())
        pictures, problem = False, None
        while True:
            told = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(decode=False), PATIENCE))
            element = told.delta.new_element
            pictures |= element.WhichOneof("type") == "bidi_component"
            if element.WhichOneof("type") == "exception":
                problem = element.exception.message
            if told.WhichOneof("type") == "script_finished":
                if told.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    continue  # stopped for the next run of the same view
                return problem or (None if pictures else "an empty page")


@contextmanager
def on_processors(process: psutil.Process, processors: list[int]) -> Iterator[None]:
    """Hold a process to some processors, where the system can."""
    before = process.cpu_affinity()
    process.cpu_affinity(processors or before)
    try:
        yield
    finally:
        process.cpu_affinity(before)


async def person(place: int, people: int, address: str, options: argparse.Namespace, seen: Seen) -> None:
    """One person looks at some neurons, beginning at a moment of their own."""
    chance = random.Random(place)
    await asyncio.sleep(options.look * place / people)
    try:
        async with connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=Origin(address),
            max_size=None,
            open_timeout=PATIENCE,
        ) as socket:
            visitor = Visitor(socket, options.run)
            for move in range(options.moves + WARM_UP):
                begun = time.perf_counter()
                problem = await visitor.see(chance.randrange(NEURONS))
                if problem is not None:
                    seen.errors.append(problem)
                elif move >= WARM_UP:
                    seen.waits.append(time.perf_counter() - begun)
                await asyncio.sleep(options.look)
    except (OSError, TimeoutError, WebSocketException) as error:
        seen.errors.append(f"{type(error).__name__}: {error}")


async def crowd(
    people: int, address: str, server: psutil.Process, options: argparse.Namespace
) -> dict[str, Any]:
    """What so many people at once wait."""
    seen, worked = Seen(), server.cpu_times()
    await asyncio.gather(*(person(place, people, address, options, seen) for place in range(people)))
    found = {
        "people": people,
        "median_s": round(statistics.median(seen.waits), 3),
        "p95_s": round(float(np.quantile(seen.waits, 0.95)), 3),
        "views": len(seen.waits),
        "errors": len(seen.errors),
        "server_cpu_s_a_view": round(spent(worked, server) / people / (options.moves + WARM_UP), 3),
    }
    print(found, *dict.fromkeys(seen.errors), file=sys.stderr, flush=True)
    return found


async def memory(address: str, server: psutil.Process, options: argparse.Namespace) -> dict[str, Any]:
    """How the server's memory grows while one person sees many neurons."""
    read: list[float] = []
    async with connect(
        f"{address.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        origin=Origin(address),
        max_size=None,
    ) as socket:
        visitor = Visitor(socket, options.run)
        for view in range(SETTLED + options.views):
            await visitor.see(view % NEURONS)
            read.append(server.memory_info().rss / MEGABYTE)
    settled = read[SETTLED:]
    slope = float(np.polyfit(np.arange(len(settled)), settled, 1)[0])
    return {
        "views": options.views,
        "start_mb": round(settled[0], 1),
        "end_mb": round(settled[-1], 1),
        "samples_mb": [round(size, 1) for size in settled[::SETTLED]],
        "slope_mb_per_1000_views": round(1000 * slope, 1),
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the app and the people; returns the figures."""
    processors = psutil.Process().cpu_affinity()
    one, others = processors[:1], processors[1:]
    with served_app(options.home) as (address, server), on_processors(psutil.Process(), others):
        server.cpu_affinity(one)
        alone, some, many = [
            await crowd(people, address, server, options) for people in (1, options.people, options.crowd)
        ]
        grown = await memory(address, server, options) if options.views else None
    return {
        "ratio": round(some["median_s"] / alone["median_s"], 2),
        "ratio_of": f"the median wait of {options.people} people to that of one",
        "ratio_p95": round(some["p95_s"] / alone["p95_s"], 2),
        "run": options.run,
        "look_s": options.look,
        "one": alone,
        "some": some,
        "crowd": many,
        "memory": grown,
        "processors": {"server": one, "people": others},
        "load_average_before_and_after": [round(options.load, 1), round(os.getloadavg()[0], 1)],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", default="demo")
    parser.add_argument("--home", type=lambda text: Path(text).absolute(), help="takes the place of CSP_HOME")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--crowd", type=int, default=40)
    parser.add_argument("--look", type=float, default=5.0, help="seconds that each looks at a neuron")
    parser.add_argument("--moves", type=int, default=8, help="views of each person that are counted")
    parser.add_argument(
        "--views", type=int, default=500, help="of one person, for the memory; 0: not measured"
    )
    options = parser.parse_args()
    options.load = os.getloadavg()[0]
    print(json.dumps(asyncio.run(measure(options))))


if __name__ == "__main__":
    main()
