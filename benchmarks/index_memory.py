"""Peak memory of `csp index` at 10,000 and at 100,000 small pictures, with models of a few hundred weights.

Usage: python -m benchmarks.index_memory [--few 10000] [--many 100000]
The pictures are 200 different ones of 32 x 32, linked under many names. Each run is made in a process of its
own; prints one JSON object, `ratio` is the peak with many over the peak with few.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

DIFFERENT, SIDE = 200, 32


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
        "ratio": round(many["peak_mb"] / few["peak_mb"], 3),
        "ratio_of": f"peak memory of index at {options.many} images / at {options.few}",
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
    quiet = os.open(os.devnull, os.O_WRONLY)
    began = time.perf_counter()
    child = os.posix_spawn(
        command[0],
        command,
        {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "CSP_HOME": str(folder / "home")},
        file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)],
    )
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"csp index of {count} images failed")
    scale = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kibibytes here
    return {
        "images": count,
        "peak_mb": round(usage.ru_maxrss / scale),
        "seconds": round(time.perf_counter() - began),
    }


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
