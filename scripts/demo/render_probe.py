"""Renders the demo's probe dataset: images, and `cases.csv` with diagnosis, split and true attributes.

Usage: python scripts/demo/render_probe.py OUT [--images 1600]. Images already there are kept, so a
stopped run goes on. The seeds never meet those of the trainings (see data.py).
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from csp.world.dermoscopy.attributes import ATTRIBUTES, sample_case
from csp.world.dermoscopy.render import render

FIRST_SEED = 1_000_000
SIZE = 320
SPLITS = ("selection", "held-out")


def draw(seed: int, folder: Path) -> None:
    """Writes one image unless it is there."""
    path = folder / f"{seed}.webp"
    if path.exists():
        return
    partial = path.with_suffix(".partial")
    render(sample_case(seed), SIZE).save(partial, format="WEBP", quality=92)
    partial.replace(path)


def write_cases(seeds: range, out: Path) -> None:
    """Writes the table that `csp index --data csv:` reads; splits alternate, so both see every rate."""
    partial = out / "cases.csv.partial"
    with partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split", "skin_tone", *ATTRIBUTES])
        for seed in seeds:
            case = sample_case(seed)
            flags = case.flags()
            row = [f"images/{seed}.webp", case.diagnosis, SPLITS[seed % 2], case.skin_tone]
            writer.writerow([*row, *(int(flags[name]) for name in ATTRIBUTES)])
    partial.replace(out / "cases.csv")


def main() -> None:
    """Draws what is missing, two processes at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=1600)
    options = parser.parse_args()
    folder = options.out / "images"
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_SEED, FIRST_SEED + options.images)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(draw, seeds, [folder] * len(seeds), chunksize=16))
    write_cases(seeds, options.out)
    print(f"{options.out}: {options.images} images and cases.csv")


if __name__ == "__main__":
    main()
