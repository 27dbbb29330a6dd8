"""How soon a page answers: from the press to the last picture painted, in real Chromium at 1440 x 900.

Usage: python benchmarks/pages.py [--run demo] [--home FOLDER] [--moves 30] [--people 10] [--look 5]
       [--chromium PATH]
The large run: `python benchmarks/large_run.py`, then `--run large --home cache/benchmarks`. Prints one JSON
object, and each kind of move to stderr as soon as it is measured; `ratio` is the worst of the medians over
their aims. Also measured: ten people at once on one server, who each look at a neuron for `--look` seconds
before the next (their browser runs on the same processors); its memory; and the processor time it spends on a
move, which other work on the machine changes little.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

ROOT = Path(__file__).parents[1]
MEMORY_LIMIT_GB = 2.0
FIRST_PAGE_AIM = 2.0
WARM_UP = 3
PAUSE = 0.15  # seconds
LONG = 120_000
SCREEN: ViewportSize = {"width": 1440, "height": 900}
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
]

# Keeps a promise of the milliseconds from the next press until what is watched has changed, all its pictures
# are decoded, and a frame with them is painted.
WATCH = """(watched) => {
  const parts = () => [...document.querySelectorAll(watched)];
  const pictures = () => parts().flatMap((part) => [...part.querySelectorAll('img[src]')]);
  const words = () => parts().map((part) => part.innerText).join();
  const seen = () => words() + pictures().map((image) => image.src).join();
  const frame = () => new Promise(requestAnimationFrame);
  const before = seen();
  let start;
  for (const kind of ['pointerdown', 'keydown'])
    addEventListener(kind, () => { start ??= performance.now(); }, { capture: true, once: true });
  window.painted = (async () => {
    while (start === undefined || seen() === before) await frame();
    for (;;) {
      const now = seen();
      await Promise.allSettled(pictures().map((image) => image.decode()));
      await frame(); await frame();
      if (seen() === now) return performance.now() - start;
    }
  })();
}"""


@dataclass(frozen=True)
class Move:
    """One thing that a person does: the page, what it changes, the press, and how soon it should be there."""

    page: str
    watched: str
    press: Callable[[Page, int], Awaitable[None]]
    aim: float
    address: dict[str, str]


async def _next(page: Page, turn: int) -> None:
    await page.click(".st-key-next button")


async def _gamma(page: Page, turn: int) -> None:
    await page.locator(".st-key-gamma input").press("ArrowLeft" if turn % 20 < 10 else "ArrowRight")


async def _sort(page: Page, turn: int) -> None:
    await page.locator("a.csp-sort").nth((0, 1, 2)[turn % 3]).click()


async def _search(page: Page, turn: int) -> None:
    await page.locator(".st-key-query input").press("Enter")


WORDS = (ROOT / "assets/vocabularies/dermoscopy.txt").read_text(encoding="utf-8").splitlines()[::30][:10]
GRIDS = ".st-key-activating-grid, .st-key-contrastive-grid"
MOVES = {
    "next neuron": Move("neuron", GRIDS, _next, 0.5, {"neuron": "8"}),
    "gamma change": Move("neuron", ".st-key-projection-scores", _gamma, 0.3, {"neuron": "20"}),
    "table sort": Move("neurons", ".st-key-neuron-table", _sort, 0.5, {}),
    "search": Move("search", ".st-key-results", _search, 0.5, {"query": "mole"}),
}


@contextmanager
def served_app(home: Path | None) -> Iterator[tuple[str, psutil.Process]]:
    """The address of the app on a free loopback port, and its process; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "csp.face.screen.page.server", "app.py", "--server.port", str(port)]
    environment = {**os.environ, **({"CSP_HOME": str(home)} if home else {})}
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=silent, stderr=silent) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/_stcore/health")
            yield address, psutil.Process(server.pid)
        finally:
            server.terminate()


def _wait(address: str) -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address} does not answer")


async def first_paint(browser: Browser, address: str) -> float:
    """Seconds from opening an address to the last picture of the first page."""
    page = await browser.new_page(viewport=SCREEN)
    start = time.perf_counter()
    await page.goto(address)
    await page.wait_for_selector(".st-key-contrastive-grid img[src]", timeout=LONG)
    seconds = time.perf_counter() - start
    await page.close()
    return seconds


async def opened(browser: Browser, address: str, view: dict[str, str], move: Move) -> Page:
    """A page of a person of their own, ready for the move."""
    context = await browser.new_context(viewport=SCREEN)
    page = await context.new_page()
    page.set_default_timeout(LONG)
    await page.goto(f"{address}/{move.page}?{urlencode(view | move.address)}")
    await page.wait_for_selector(move.watched.split(",")[0])
    await page.wait_for_selector(SETTLED)
    return page


async def timed(page: Page, move: Move, moves: int, pause: float = PAUSE) -> list[float]:
    """Seconds of each move, `pause` seconds apart; the first three, which warm up, are left out."""
    seconds = []
    for turn in range(moves + WARM_UP):
        await page.wait_for_selector(SETTLED)
        await page.wait_for_timeout(1000 * pause)
        if move.press is _search:
            await page.locator(".st-key-query input").fill(WORDS[turn % len(WORDS)])
        await page.evaluate(WATCH, move.watched)
        await move.press(page, turn)
        painted = asyncio.wait_for(page.evaluate("window.painted"), LONG / 1000)
        seconds.append(float(await painted) / 1000)
    return seconds[WARM_UP:]


async def crowd(
    browser: Browser, address: str, view: dict[str, str], options: argparse.Namespace
) -> list[float]:
    """Seconds of each move to the next neuron while all people move at once, each through other neurons."""
    move = MOVES["next neuron"]
    pages = []
    for person in range(options.people):
        own = replace(move, address={"neuron": str(20 * person)})
        pages.append(await opened(browser, address, view, own))

    async def moved(place: int, page: Page) -> list[float]:
        await asyncio.sleep(options.look * place / len(pages))  # nobody comes at the same moment
        return await timed(page, move, max(5, options.moves // 3), max(options.look, PAUSE))

    found = await asyncio.gather(*(moved(place, page) for place, page in enumerate(pages)))
    return [seconds for one in found for seconds in one]


def spent(before: Any, server: psutil.Process) -> float:
    """Seconds of processor time since `before`."""
    now = server.cpu_times()
    return float(now.user + now.system - before.user - before.system)


def figures(seconds: list[float], aim: float) -> dict[str, Any]:
    """Median and 95th percentile beside the aim."""
    return {
        "median_s": round(statistics.median(seconds), 3),
        "p95_s": round(statistics.quantiles(seconds, n=20)[-1], 3),
        "aim_s": aim,
        "moves": len(seconds),
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the app and the browser; returns the figures."""
    view = {"run": options.run}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=options.chromium, args=ARGUMENTS)
        with served_app(options.home) as (address, server):
            start = f"{address}/?{urlencode(view)}"
            pages = {"fresh": await first_paint(browser, start), "warm": await first_paint(browser, start)}
            found = {}
            for name, move in MOVES.items():
                page = await opened(browser, address, view, move)
                worked = server.cpu_times()
                found[name] = figures(await timed(page, move, options.moves), move.aim)
                found[name]["server_cpu_s"] = round(spent(worked, server) / (options.moves + WARM_UP), 3)
                print(name, found[name], file=sys.stderr, flush=True)
                await page.context.close()
            alone = server.memory_info().rss / 1e9
            worked, begun = server.cpu_times(), time.perf_counter()
            many = await crowd(browser, address, view, options)
            busy = spent(worked, server) / (time.perf_counter() - begun)
            print(options.people, "at once", figures(many, MOVES["next neuron"].aim), file=sys.stderr)
            memory = server.memory_info().rss / 1e9
        await browser.close()
    single = found["next neuron"]["median_s"]
    ratios = {name: round(each["median_s"] / each["aim_s"], 2) for name, each in found.items()}
    return {
        "what": "press to last picture painted, medians; the worst of them against its aim",
        "ratio": max(ratios.values()),
        "ratio_of": "median over aim, of the slowest kind of move",
        "run": view["run"],
        "ratios": ratios,
        "moves": found,
        "first_page": {**{f"{name}_s": round(s, 2) for name, s in pages.items()}, "aim_s": FIRST_PAGE_AIM},
        "people_at_once": {
            "people": options.people,
            "look_s": options.look,
            "median_s": round(statistics.median(many), 3),
            "times_single": round(statistics.median(many) / single, 2),
            "server_busy": round(busy, 2),  # of one processor; the rest of what there is went to the browser
        },
        "server_memory_gb": {"one": round(alone, 2), "all": round(memory, 2), "limit": MEMORY_LIMIT_GB},
        "processors": os.cpu_count(),
        "load_average_before_and_after": [round(options.load, 1), round(os.getloadavg()[0], 1)],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--home", type=lambda text: Path(text).absolute(), help="takes the place of CSP_HOME")
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--look", type=float, default=5.0, help="seconds that each of them looks at a neuron")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.load = os.getloadavg()[0]
    print(json.dumps(asyncio.run(measure(options))))


if __name__ == "__main__":
    main()
