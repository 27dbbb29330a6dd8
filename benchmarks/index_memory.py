"""Peak memory of `csp index` at 10,000 and at 100,000 small pictures, with models of a few hundred weights.

Usage: python -m benchmarks.index_memory [--few 10000] [--many 100000]
The pictures are 200 different ones of 32 x 32, linked under many names. Each run is made in a process of its
own, with labels of a vocabulary. Prints one JSON object; `ratio` is that of `private_mb`, the most that the
process held for itself. `mapped_mb` is the most of files that it had mapped: pages of the cache, which the
system takes back when it needs room, so they are no growth. `resident_mb` is the peak of both together.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

DIFFERENT, SIDE = 200, 32
ROOT = Path(__file__).parents[1]
VOCABULARY = ROOT / "assets" / "vocabularies" / "dermoscopy.txt"
EVERY = 0.05
"""Seconds between two looks at the process."""


def main() -> None:
    """Measure both and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        few, many = (measured(Path(name), count) for count in (options.few, options.many))
    result = {
        "benchmark": "index_memory",
        "ratio": round(many["private_mb"] / few["private_mb"], 3),
        "ratio_of": f"peak private memory of index at {options.many} images / at {options.few}",
        "few": few,
        "many": many,
    }
    print(json.dumps(result))


def measured(folder: Path, count: int) -> dict[str, float]:
    """Peak memory and seconds of indexing so many images."""
    images = folder / f"images-{count}"
    draw(images, count)
    tiny = "python:benchmarks.tiny_models:tiny"
    command = [sys.executable, "-m", "csp", "index", "--model", tiny, "--layer", "0", "--encoder", tiny]
    command += ["--data", f"folder:{images}", "--batch-size", "256", "--out", str(folder / f"run-{count}")]
    command += ["--vocabulary", str(VOCABULARY)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CSP_HOME": str(folder / "home")}
    quiet = subprocess.DEVNULL
    began, peaks = time.perf_counter(), dict.fromkeys(("private_mb", "mapped_mb", "resident_mb"), 0.0)
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as child:
        process = psutil.Process(child.pid)
        while child.poll() is None:
            for name, held in memory(process).items():
                peaks[name] = max(peaks[name], held)
            time.sleep(EVERY)
    if child.returncode:
        raise SystemExit(f"csp index of {count} images failed")
    whole = {name: round(peak) for name, peak in peaks.items()}
    return {"images": count, "seconds": round(time.perf_counter() - began), **whole}


def memory(process: psutil.Process) -> dict[str, float]:
    """What a process holds now, in MB; nothing once it has ended."""
    try:
        info = process.memory_info()
    except psutil.Error:
        return {}
    mapped = getattr(info, "shared", 0)  # Linux: resident pages of files and what is shared
    found = {"private_mb": info.rss - mapped, "mapped_mb": mapped, "resident_mb": info.rss}
    return {name: size / 2**20 for name, size in found.items()}


def draw(folder: Path, count: int) -> None:
    """Different pictures, each under many names in folders of a thousand."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(DIFFERENT):
        pixels = rng.integers(0, 256, 3) + rng.integers(-20, 21, (SIDE, SIDE, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    for number in range(DIFFERENT, count):
        below = folder / f"{number // 1000:04d}"
        below.mkdir(exist_ok=True)
        (below / f"{number:07d}.png").hardlink_to(folder / f"{number % DIFFERENT}.png")


if __name__ == "__main__":
    main()
