"""A run of 50,000 images and 2,048 neurons, made once with `csp import`, for benchmarks of large runs.

Usage: python benchmarks/large_run.py [--home cache/benchmarks]
Pictures and labels are the demo's, over and over; embeddings (512 numbers an image) are its own, turned into
more dimensions with noise; each neuron follows two terms of the vocabulary, one of them against the other.
Whatever was made stays; run it again to go on. Prints one JSON object; `ratio` is peak memory over 2 GB.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from csp.keeping.atomic import TEMPORARY, publish
from csp.keeping.run_folder.run import Run

ROOT = Path(__file__).parents[1]
NAME = "large"
IMAGES, NEURONS, DIMENSION = 50_000, 2_048, 512
NOISE = 0.35
MEMORY_LIMIT_GB = 2.0


def made(home: Path) -> Path:
    """The folder of the run, made now if it is not there."""
    run = home / "runs" / NAME
    if not (run / "manifest.json").is_file():
        demo = Run.open(ROOT / "assets/runs/demo")
        given = home / "given"
        given.mkdir(parents=True, exist_ok=True)
        _once(given / "images.csv", lambda path: _write_images(path, demo, given))
        _once(given / "embeddings.npy", lambda path: _write_embeddings(path, demo))
        _once(given / "texts.npy", lambda path: _write_texts(path, demo))
        _once(given / "terms.txt", lambda path: path.write_text("\n".join(demo.vocabulary["text"])))
        _once(given / "activations.npy", lambda path: _write_activations(path, given))
        _import(home, given)
    return run


def _once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole, if it is not there."""
    if not path.exists():
        temporary = path.with_name(TEMPORARY + path.name)
        write(temporary)
        publish(temporary, path)


def _write_images(path: Path, demo: Run, given: Path) -> None:
    """The demo's pictures, and 50,000 names for them."""
    (given / "pictures").mkdir(exist_ok=True)
    labels = list(demo.images["label"])
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "label"))
        for image in range(IMAGES):
            original, name = image % len(labels), f"pictures/{image:05}.webp"
            if not (given / name).exists():
                if image == original:
                    (given / name).write_bytes(demo.thumbnail(image, "small"))
                else:
                    os.link(given / f"pictures/{original:05}.webp", given / name)
            rows.writerow((name, labels[original]))


def _write_embeddings(path: Path, demo: Run) -> None:
    repeats = -(-IMAGES // len(demo.embeddings))
    np.save(path, _turned(np.tile(demo.embeddings, (repeats, 1))[:IMAGES], NOISE))


def _write_texts(path: Path, demo: Run) -> None:
    np.save(path, _turned(np.asarray(demo.text_embeddings), 0.0))


def _turned(vectors: np.ndarray, noise: float) -> np.ndarray:
    """Unit vectors in `DIMENSION` dimensions with about the same cosines, but for the noise."""
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(DIMENSION, vectors.shape[1])))[0].T.astype(np.float32)
    turned = vectors @ turn
    turned += noise / np.sqrt(DIMENSION) * random.standard_normal(turned.shape, np.float32)
    unit: np.ndarray = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return unit


def _write_activations(path: Path, given: Path) -> None:
    """Neuron j fires for the term j, and less where another term fits, never below zero."""
    embeddings, texts = np.load(given / "embeddings.npy"), np.load(given / "texts.npy")
    random = np.random.default_rng(1)
    wanted, unwanted = np.arange(NEURONS) % len(texts), random.integers(0, len(texts), NEURONS)
    directions = (texts[wanted] - 0.6 * texts[unwanted]).T
    array = np.lib.format.open_memmap(path, "w+", np.float32, (IMAGES, NEURONS))
    for start in range(0, IMAGES, 4096):
        fit = embeddings[start : start + 4096] @ directions
        array[start : start + 4096] = np.maximum(0, 4 * (fit + 0.02 * random.standard_normal(fit.shape)))
    array.flush()


def _import(home: Path, given: Path) -> None:
    files = {
        "activations": given / "activations.npy",
        "embeddings": given / "embeddings.npy",
        "images": given / "images.csv",
        "vocabulary": given / "terms.txt",
        "text-embeddings": given / "texts.npy",
    }
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "csp", "import", *options, "--out", NAME]
    subprocess.run(
        command, check=True, cwd=ROOT, env={**os.environ, "CSP_HOME": str(home)}, stdout=sys.stderr
    )


def main() -> None:
    """Makes the run and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / "cache/benchmarks")
    start = time.perf_counter()
    run = made(parser.parse_args().home.absolute())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    size = sum(record.bytes for record in Run.open(run).manifest.files.values())
    figures = {
        "what": f"csp import of {IMAGES:,} images x {NEURONS:,} neurons: peak memory of the process",
        "ratio": round(peak / MEMORY_LIMIT_GB, 3),
        "ratio_of": f"peak of memory over {MEMORY_LIMIT_GB} GB (0 when the run was there already)",
        "peak_gb": round(peak, 2),
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "run_gb": round(size / 1e9, 2),
        "run": str(run),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
