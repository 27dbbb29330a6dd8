"""Memory and time of making and opening a run, at three sizes, and what they give at a million images.

Usage: python -m benchmarks.million [--sizes 5000 10000 20000] [--dimension 512] [--neurons 2048] [--half]
                                   [--among 4096] [--folder F] [--steps import map]
Activations, embeddings and 345 texts are made up on disk, block by block; each size runs in a process of
its own. Neighbours of a million images take an exact search days: with `--among N` each image's are searched
for among N images only, and written as any run's; all other stages are as they are. Memory is what a process
has to itself (files that are mapped don't count), read every 20 ms, by stage; stability is of five neurons,
`questions` what pages ask of all images: what the encoder sees, which neurons look for what an image shows,
the facets of a neuron. With `--folder` all is kept, and the same command goes on where it was stopped, or
takes some steps only; `found.json` there says how far it is. Prints one JSON object: `stages` by size,
`growth` the exponent of each with the number of images (a line through logarithms), `at_a_million` what a
line gives for memory and the exponent for time; `ratio` is the greatest memory of a stage at a million over
4 GB.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil

from csp.keeping.run_folder.manifest import Parameters
from csp.keeping.run_folder.run import Run
from csp.method.examples.best_so_far import NewPile
from csp.method.examples.neighbours import STORED, Neighbours, neighbour_pieces
from csp.work.control.sight import encoder_sight
from csp.work.explorer.explorer import open_explorer
from csp.work.explorer.facets import facets
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.neurons.map import draw_map
from csp.work.neurons.search import search_probe_image
from csp.work.progress import Progress

MILLION, LIMIT_GB, TEXTS, BLOCK, EVERY, KEPT_EVERY = 1_000_000, 4.0, 345, 10_000, 0.02, 10
STEPS = ("made up", "import", "map", "stability", "one neuron", "questions")
GIGABYTE = 2**30


class Watch:
    """Which stage runs, how long each took, and the most memory in it.

    Kept in a file, which a later watch goes on from; it also says how far the stage that runs
    has come, and which steps are done.
    """

    def __init__(self, path: Path) -> None:
        kept = json.loads(path.read_text()) if path.exists() else {"stages": {}, "done": []}
        self.path, self.stage, self.reached = path, "", ""
        self.done: list[str] = kept["done"]
        self.peaks: defaultdict[str, float] = defaultdict(float)
        self.seconds: defaultdict[str, float] = defaultdict(float)
        for name, found in kept["stages"].items():
            self.peaks[name], self.seconds[name] = found["peak_gb"], found["seconds"]
        self._since, self._process, self._on = time.perf_counter(), psutil.Process(), True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def enter(self, stage: str) -> None:
        """From now on it is this one."""
        self._count()
        self.stage = stage
        self._keep()

    def report(self, progress: Progress) -> None:
        """Takes the stage from a job's progress, without the layer's name."""
        stage = progress.stage.partition(" of ")[0]
        self.reached = f"{progress.done} of {progress.total}"
        if stage != self.stage:
            self.enter(stage)
        elif time.perf_counter() - self._since > KEPT_EVERY:
            self._count()
            self._keep()

    def finish(self, step: str) -> None:
        """The step is done and need not be done again."""
        self.done.append(step)
        self.enter("")

    def found(self) -> dict[str, dict[str, float]]:
        """By stage: gigabytes and seconds."""
        self.enter("")
        self._on = False
        self._thread.join()
        return self._stages()

    def _stages(self) -> dict[str, dict[str, float]]:
        return {
            name: {"peak_gb": round(self.peaks[name], 3), "seconds": round(seconds, 2)}
            for name, seconds in self.seconds.items()
        }

    def _count(self) -> None:
        now = time.perf_counter()
        if self.stage:
            self.seconds[self.stage] += now - self._since
        self._since = now

    def _keep(self) -> None:
        now = {"stage": self.stage, "reached": self.reached}
        made = self.path.with_suffix(".part")
        made.write_text(json.dumps({"stages": self._stages(), "done": self.done, "now": now}))
        made.replace(self.path)

    def _look(self) -> None:
        while self._on:
            memory = self._process.memory_info()
            own = (memory.rss - memory.shared) / GIGABYTE
            self.peaks[self.stage] = max(self.peaks[self.stage], own)
            time.sleep(EVERY)


def make_up(folder: Path, images: int, dimension: int, neurons: int, half: bool) -> None:
    """The arrays, as `.npy` files: each neuron follows one of the dimensions of the embeddings.

    With `half` activations are kept in half precision.
    """
    rng = np.random.default_rng(0)
    texts = rng.normal(size=(TEXTS, dimension)).astype(np.float32)
    np.save(folder / "texts.npy", texts)
    (folder / "terms.txt").write_text("\n".join(f"thing {index}" for index in range(TEXTS)))
    follows = rng.integers(0, TEXTS, neurons)
    layout = {
        "embeddings": (np.float32, (images, dimension)),
        "activations": (np.float16 if half else np.float32, (images, neurons)),
    }
    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", *one) for name, one in layout.items()
    }
    for start in range(0, images, BLOCK):
        rows = min(BLOCK, images - start)
        shown = rng.integers(0, TEXTS, (rows, 3))
        made = texts[shown].mean(1) + rng.normal(scale=1.0, size=(rows, dimension))
        seen = (shown[:, :, None] == follows).any(1)
        fired = (seen * rng.uniform(1, 2, seen.shape) + rng.normal(scale=0.3, size=seen.shape)).clip(0)
        files["embeddings"][start : start + rows] = made
        files["activations"][start : start + rows] = fired


def found_among(
    few: int, embeddings: np.ndarray, m: int, start: int, new_pile: NewPile
) -> Iterator[Neighbours]:
    """In the place of `neighbour_pieces`: each image's nearest of the `few` images around it."""
    for first in range(start - start % few, len(embeddings), few):
        for piece in neighbour_pieces(embeddings[first : first + few], m, max(0, start - first), new_pile):
            yield Neighbours(piece.index + np.int32(first), piece.similarity)


def one(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The steps at one size that no earlier process has done, in this one."""
    folder, among = options.folder, options.among
    watch = Watch(folder / "found.json")

    def made() -> None:
        make_up(folder, options.one, options.dimension, options.neurons, options.half)

    def imported() -> None:
        search = partial(found_among, among) if among else neighbour_pieces
        spec = ImportSpec(
            folder / "activations.npy",
            folder / "embeddings.npy",
            str(folder / "run"),
            vocabulary=folder / "terms.txt",
            text_embeddings=folder / "texts.npy",
            parameters=Parameters(
                exact_up_to=options.one, neighbours=min(STORED, among - 1) if among else STORED
            ),
        )
        with patch("csp.work.indexing.precompute.neighbour_pieces", search):
            import_arrays(spec, watch.report)

    def mapped() -> None:
        run = Run.open(folder / "run")
        draw_map(run, run.layers, watch.report)

    def stable() -> None:
        explorer = open_explorer(str(folder / "run"))
        chosen = explorer.options(None, None, None, None)
        few = {explorer.run.layers[0]: range(5)}
        evaluate(explorer, MetricRequest("stability", ("csp",), chosen, few), watch.report)

    def shown() -> None:
        explorer = open_explorer(str(folder / "run"))
        explorer.neuron(explorer.run.layers[0], 7)

    def asked() -> None:
        explorer = open_explorer(str(folder / "run"))
        encoder_sight(explorer)
        search_probe_image(explorer, list(explorer.run.layers), 0)
        facets(explorer, explorer.run.layers[0], 7)

    does = dict(zip(STEPS, (made, imported, mapped, stable, shown, asked), strict=True))
    for step in STEPS:
        if step in options.steps and step not in watch.done:
            watch.enter(step)
            does[step]()
            watch.finish(step)
    return {name: found for name, found in watch.found().items() if name != STEPS[0]}


def main() -> None:
    """Measure each size in a process of its own, and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 10_000, 20_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--neurons", type=int, default=2_048)
    parser.add_argument("--among", type=int, default=0, help="search neighbours among so many images; 0: all")
    parser.add_argument("--half", action="store_true", help="activations in half precision")
    parser.add_argument("--folder", type=Path, help="where the arrays and runs are made, and kept")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options)))
        return
    with tempfile.TemporaryDirectory() as passing:
        found = {size: apart(options.folder or Path(passing), size) for size in options.sizes}
    print(
        json.dumps(
            summary(found) | {name: getattr(options, name) for name in ("dimension", "neurons", "among")}
        )
    )


def apart(folder: Path, images: int) -> Any:
    """One size in a process of its own, with what was asked of this one."""
    own = folder / str(images)
    own.mkdir(parents=True, exist_ok=True)
    words = ["-m", "benchmarks.million", *sys.argv[1:], "--one", str(images), "--folder", str(own)]
    environment = {**os.environ, "CSP_HOME": f"{own}/home"}
    done = subprocess.run([sys.executable, *words], env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def summary(found: dict[int, Any]) -> dict[str, Any]:
    """Exponents of growth, and what the lines give at a million images."""
    growth: dict[str, Any] = {}
    beyond: dict[str, Any] = {}
    for stage in next(iter(found.values())):
        sizes = [size for size in found if stage in found[size]]
        for what in ("peak_gb", "seconds"):
            values = np.array([max(found[size][stage][what], 1e-3) for size in sizes])
            exponent, level = np.polyfit(np.log(sizes), np.log(values), 1) if len(sizes) > 1 else (0.0, 0.0)
            growth.setdefault(stage, {})[what] = round(float(exponent), 2)
            far = np.exp(level + exponent * np.log(MILLION))
            if what == "peak_gb":
                far = np.polyval(np.polyfit(sizes, values, min(1, len(sizes) - 1)), MILLION)
            beyond.setdefault(stage, {})[what] = round(float(far), 2)
    most = max(one["peak_gb"] for one in beyond.values())
    return {
        "benchmark": "million",
        "ratio": round(most / LIMIT_GB, 3),
        "ratio_of": "the greatest memory of a stage at a million images, extrapolated, over 4 GB",
        "stages": found,
        "growth": growth,
        "at_a_million": beyond,
        "load_average": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
