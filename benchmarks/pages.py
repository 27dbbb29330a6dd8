"""How soon the next neuron is on screen: from the click on Next to the last picture painted, in Chromium.

Usage: python benchmarks/pages.py [--run demo] [--layer NAME] [--steps 30] [--chromium /usr/bin/chromium]
Prints one JSON object; `ratio` is the median over the target of 0.5 s.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
TARGET_SECONDS = 0.5
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Resolves with milliseconds once the pictures of both grids are new and decoded, and a frame is painted.
NEXT_NEURON = """async () => {
  const grid = (name) => [...document.querySelectorAll(`.st-key-${name}-grid img[src]`)];
  const sources = (name) => grid(name).map((image) => image.src).join();
  const names = ['activating', 'contrastive'];
  const before = names.map(sources);
  const frame = () => new Promise(requestAnimationFrame);
  const fresh = () => names.every((name, place) => sources(name) !== before[place]);
  const start = performance.now();
  document.querySelector('.st-key-next button').click();
  while (!fresh()) await frame();
  for (;;) {
    const now = names.map(sources).join();
    await Promise.allSettled(names.flatMap(grid).map((image) => image.decode()));
    await frame(); await frame();
    if (names.map(sources).join() === now) return performance.now() - start;
  }
}"""
SCREEN: ViewportSize = {"width": 1440, "height": 900}
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def served_app() -> Iterator[str]:
    """The address of the app on a free loopback port; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "csp.face.screen.serve", "app.py", "--server.port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/_stcore/health")
            yield address
        finally:
            server.terminate()


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address} does not answer")


def first_paint(page: Page, address: str) -> float:
    """Seconds from opening an address to the last picture of the first grid."""
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".st-key-contrastive-grid img[src]")
    return time.perf_counter() - start


def next_neurons(page: Page, steps: int) -> list[float]:
    """Milliseconds of each step to the next neuron; the first three, which warm up, are left out."""
    times = []
    for _ in range(steps + 3):
        page.wait_for_selector(SETTLED)
        page.wait_for_timeout(150)
        times.append(float(page.evaluate(NEXT_NEURON)))
    return times[3:]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the app and the browser; returns the figures."""
    view = {"run": options.run} | ({"layer": options.layer} if options.layer else {})
    with served_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport=SCREEN)
        start = f"{address}/?{urlencode(view)}"
        cold = first_paint(page, start)
        warm = first_paint(browser.new_page(viewport=SCREEN), start)
        first_paint(page, f"{address}/neuron?{urlencode(view | {'neuron': '8'})}")
        times = next_neurons(page, options.steps)
        pictures = page.locator(".st-key-activating-grid img[src], .st-key-contrastive-grid img[src]").count()
        browser.close()
    median = statistics.median(times) / 1000
    return {
        "what": "next neuron on screen, median seconds",
        "ratio": round(median / TARGET_SECONDS, 3),
        "ratio_of": f"median over the target of {TARGET_SECONDS} s",
        "median_s": round(median, 3),
        "p90_s": round(statistics.quantiles(times, n=10)[-1] / 1000, 3),
        "steps": len(times),
        "pictures": pictures,
        "start_page_cold_s": round(cold, 2),
        "start_page_warm_s": round(warm, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--layer")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
