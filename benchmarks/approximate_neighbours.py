"""Time, memory and recall of approximate neighbours, beside the time of exact ones.

Usage: python -m benchmarks.approximate_neighbours [--images 256000] [--noise 0.2] [--folder F]
A run is imported of one neuron and of embeddings of 512 dimensions that are made up on disk: clusters of
uneven size in 32 dimensions, a direction that all share, and in each dimension noise of this deviation (in
its 32 dimensions that of a cluster is 0.5, that of the centres 1). Prints one JSON object: `recall` that the
run states (of the images by which the number of lists was chosen) and of 512 other images; seconds by stage
and the most memory that the process has to itself in it (mapped files don't count); `ratio` is the time of
exact neighbours, measured for 2,048 images against all, over that of all stages of the approximate ones.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.million import Watch
from csp.keeping.run_folder.manifest import Parameters
from csp.keeping.run_folder.run import Run
from csp.method.examples.neighbours import STORED, nearest_to
from csp.work.indexing.import_arrays import ImportSpec, import_arrays

DIMENSION, LATENT, IN_A_CLUSTER, BLOCK = 512, 32, 500, 2**14
TIMED, OTHERS = 2_048, 512
STAGES = ("lists", "search for neighbours", "neighbours")


def make_up(path: Path, images: int, noise: float) -> None:
    """Embeddings of length 1, as a `.npy` file."""
    rng = np.random.default_rng(0)
    clusters = max(2, images // IN_A_CLUSTER)
    share = rng.dirichlet(np.ones(clusters))
    centres = rng.standard_normal((clusters, LATENT), dtype=np.float32)
    towards = rng.standard_normal((LATENT, DIMENSION), dtype=np.float32) / np.float32(LATENT**0.5)
    common = 1.5 * rng.standard_normal(DIMENSION, dtype=np.float32)
    made = np.lib.format.open_memmap(path, "w+", np.float32, (images, DIMENSION))
    for start in range(0, images, BLOCK):
        rows = min(BLOCK, images - start)
        inner = centres[rng.choice(clusters, rows, p=share)]
        inner += 0.5 * rng.standard_normal((rows, LATENT), dtype=np.float32)
        block = inner @ towards + common + noise * rng.standard_normal((rows, DIMENSION), dtype=np.float32)
        made[start : start + rows] = block / np.linalg.norm(block, axis=1, keepdims=True)
    made.flush()


def measured(folder: Path, images: int, noise: float) -> dict[str, object]:
    """All of it, in a folder with room for the embeddings twice."""
    make_up(folder / "embeddings.npy", images, noise)
    np.save(folder / "activations.npy", np.random.default_rng(1).random((images, 1), dtype=np.float32))
    watch = Watch(folder / "found.json")
    spec = ImportSpec(
        folder / "activations.npy",
        folder / "embeddings.npy",
        str(folder / "run"),
        parameters=Parameters(neighbours=STORED, exact_up_to=1),
    )
    run = Run.open(import_arrays(spec, watch.report))
    stages = watch.found()
    said, found = run.manifest.approximate, run.neighbours
    assert said is not None and found is not None
    rng = np.random.default_rng(2)
    began = time.perf_counter()
    timed = np.sort(rng.choice(images, min(TIMED, images), replace=False))
    true = nearest_to(timed, run.embeddings, found.index.shape[1]).index
    exact = (time.perf_counter() - began) * images / len(timed)
    pairs = zip(found.index[timed[:OTHERS]], true[:OTHERS], strict=True)
    hits = [len(np.intersect1d(*rows)) / true.shape[1] for rows in pairs]
    return {
        "benchmark": "approximate_neighbours",
        "ratio": round(exact / sum(stages[name]["seconds"] for name in STAGES), 1),
        "ratio_of": "seconds of exact neighbours, over those of approximate ones with their lists",
        "images": images,
        "noise": noise,
        "recall": {"stated": said.recall, "of_others": round(float(np.mean(hits)), 4)},
        "lists": said.lists,
        "searched": said.searched,
        "exact_seconds": round(exact),
        "stages": stages,
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=256_000)
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--folder", type=Path, help="where the arrays and the run are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measured(Path(folder), options.images, options.noise)))


if __name__ == "__main__":
    main()
