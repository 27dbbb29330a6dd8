"""Processor time and memory of opening a layer of 50,000 neurons: its table, then the first neuron's page.

Usage: python benchmarks/many_neurons.py [--home cache/benchmarks] [--neurons 50000] [--images 2000]
The run is made once with `csp import`, of random numbers: each neuron follows one of 200 texts. What is
measured is what the pages ask for the first time in a fresh process, without the libraries that they load:
the table in its usual order with all chips counted, then one neuron with those that look for the same.
Prints one JSON object; `ratio` is the processor time of both over the aim of 2 s.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from csp.face.screen.atlas.chips import chips_of
from csp.face.screen.atlas.filters import Filters
from csp.work.explorer.explorer import open_explorer
from csp.work.metrics.registry import label_numbers
from csp.work.neurons.rows import machine_rows
from csp.work.neurons.similar import similar_neurons

ROOT = Path(__file__).parents[1]
NAME = "many-neurons"
DIMENSION, TEXTS = 64, 200
AIM_SECONDS, AIM_GB = 2.0, 1.0


def made(home: Path, images: int, neurons: int) -> Path:
    """The folder of the run, made now if it is not there."""
    run = home / "runs" / f"{NAME}-{neurons}"
    if not (run / "manifest.json").is_file():
        given = home / "given-many"
        given.mkdir(parents=True, exist_ok=True)
        _write(given, images, neurons)
        files = {"activations": "activations.npy", "embeddings": "embeddings.npy", "vocabulary": "terms.txt"}
        files["text-embeddings"] = "texts.npy"
        options = [part for name, file in files.items() for part in (f"--{name}", str(given / file))]
        command = [sys.executable, "-m", "csp", "import", *options, "--out", run.name]
        environment = {**os.environ, "CSP_HOME": str(home)}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=sys.stderr)
    return run


def _write(given: Path, images: int, neurons: int) -> None:
    random = np.random.default_rng(0)
    embeddings, texts = (_unit(random.standard_normal((rows, DIMENSION))) for rows in (images, TEXTS))
    np.save(given / "embeddings.npy", embeddings)
    np.save(given / "texts.npy", texts)
    (given / "terms.txt").write_text("\n".join(f"term {number}" for number in range(TEXTS)))
    wanted = texts[random.integers(0, TEXTS, neurons)].T
    array = np.lib.format.open_memmap(given / "activations.npy", "w+", np.float32, (images, neurons))
    for start in range(0, images, 200):
        fit = embeddings[start : start + 200] @ wanted
        array[start : start + 200] = np.maximum(0, 4 * (fit + 0.1 * random.standard_normal(fit.shape)))
    array.flush()


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32)


def main() -> None:
    """Makes the run, opens it, and prints what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / "cache/benchmarks")
    parser.add_argument("--neurons", type=int, default=50_000)
    parser.add_argument("--images", type=int, default=2_000)
    options = parser.parse_args()
    home = options.home.absolute()
    folder = made(home, options.images, options.neurons)
    os.environ["CSP_HOME"] = str(home)
    label_numbers()  # loads the plug-ins' registry
    start = time.process_time()
    explorer = open_explorer(str(folder))
    layer = explorer.run.layers[0]
    rows, chips = machine_rows(explorer, layer), chips_of(explorer.run.manifest.classes)
    Filters("", (), None, "doubt", "table").apply(rows.frame, chips)
    for chip in chips.values():
        chip.fits(rows.frame).sum()
    table = time.process_time()
    explorer.neuron(layer, 0)
    similar_neurons(explorer.run, layer).of(0)
    neuron = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    figures = {
        "ratio": round((neuron - start) / AIM_SECONDS, 3),
        "ratio_of": f"processor time of the table and the first neuron to the aim of {AIM_SECONDS:g} s",
        "table_seconds": round(table - start, 2),
        "neuron_seconds": round(neuron - table, 2),
        "peak_gb": round(peak, 2),
        "memory_ratio": round(peak / AIM_GB, 3),
        "memory_ratio_of": f"peak memory of the process to {AIM_GB:g} GB",
        "neurons": options.neurons,
        "images": options.images,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
