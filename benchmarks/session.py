"""Does a browser session under six tabs stay flat in memory?

    python benchmarks/session.py [--minutes 10] [--run demo] [--home FOLDER] [--tabs 6] [--chromium PATH]

One person leafs through neurons, pages and searches in six tabs of real Chromium, a view a second. The
memory of the server is read every five seconds. Printed: memory at the start (after a minute, when all is
loaded) and at the end, and the slope of a line through what lies between. `ratio` is the end over the start.
"""

import argparse
import asyncio
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from playwright.async_api import Browser, Page, TimeoutError, async_playwright

from benchmarks.pages import ARGUMENTS, LONG, SCREEN, SETTLED, served_app

MEGABYTE = 2**20
WARM_UP = 60.0
"""Seconds until every page was drawn once and what is kept in memory is there."""
EVERY = 5.0
"""Seconds between two readings."""
PAGES = ("neuron", "neurons", "search", "audit", "compare", "present")
WORDS = ("ruler", "hair", "mole", "ink", "dark corner", "blue-white veil")


async def opened(browser: Browser, address: str, count: int) -> list[Page]:
    """The tabs of one person."""
    context = await browser.new_context(viewport=SCREEN)
    tabs = [await context.new_page() for _ in range(count)]
    for tab in tabs:
        tab.set_default_timeout(LONG)
        await tab.goto(address)
    return tabs


async def leaf(tabs: list[Page], address: str, run: str, until: float) -> tuple[int, int]:
    """Goes from view to view until a moment of the clock; how many were seen, and how many came too late."""
    seen = late = 0
    for number in itertools.count():
        if time.monotonic() >= until:
            break
        tab = tabs[number % len(tabs)]
        page = PAGES[(number // len(tabs) + number) % len(PAGES)]
        view = {"run": run, "neuron": str(number % 200), "query": WORDS[number % len(WORDS)]}
        await tab.bring_to_front()  # a tab that nobody looks at draws nothing
        try:
            await tab.goto(f"{address}/{page}?{urlencode(view)}")
            await tab.wait_for_selector(SETTLED)
            seen += 1
        except TimeoutError:
            late += 1
        await asyncio.sleep(1)
    return seen, late


async def readings(server: psutil.Process, until: float) -> list[tuple[float, float]]:
    """Seconds since the beginning and megabytes of the server, every five seconds."""
    begun, found = time.monotonic(), []
    while time.monotonic() < until:
        found.append((time.monotonic() - begun, server.memory_info().rss / MEGABYTE))
        await asyncio.sleep(EVERY)
    return found


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the app and the browser; returns the figures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=options.chromium, args=ARGUMENTS)
        with served_app(options.home) as (address, server):
            tabs = await opened(browser, f"{address}/?{urlencode({'run': options.run})}", options.tabs)
            until = time.monotonic() + 60 * options.minutes
            (seen, late), read = await asyncio.gather(
                leaf(tabs, address, options.run, until), readings(server, until)
            )
        await browser.close()
    return figures(read) | {"views": seen, "late": late, "tabs": options.tabs, "minutes": options.minutes}


def figures(read: list[tuple[float, float]]) -> dict[str, Any]:
    """What the readings say: start and end are means of five."""
    seconds, megabytes = np.array([one for one in read if one[0] >= min(WARM_UP, read[-1][0] / 2)]).T
    slope = float(np.polyfit(seconds / 60, megabytes, 1)[0]) if len(seconds) > 1 else 0.0
    start, end = float(megabytes[:5].mean()), float(megabytes[-5:].mean())
    return {
        "ratio": round(end / start, 3),
        "ratio_of": "the server's memory at the end to that at the start, after a warm-up of a minute",
        "start_mb": round(start, 1),
        "end_mb": round(end, 1),
        "most_mb": round(float(megabytes.max()), 1),
        "slope_mb_per_minute": round(slope, 3),
        "slope_mb_per_hour": round(60 * slope, 1),
        "readings": len(megabytes),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--home", type=lambda text: Path(text).absolute(), help="takes the place of CSP_HOME")
    parser.add_argument("--tabs", type=int, default=6)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    print(json.dumps(asyncio.run(measure(parser.parse_args()))))


if __name__ == "__main__":
    main()
