"""The latents of a sparse autoencoder: 65,536 of them on 50,000 images, imported from a sparse `.npz` file.

Usage: python benchmarks/sparse_layer.py [--latents 65536] [--images 50000] [--active 64] [--folder FOLDER]
Made-up latents: few fire often and many seldom, as those of autoencoders do; of 65,536, `--active` fire on an
image on average. `csp import` runs in a process of its own. Prints one JSON object: `ratio` is the run's size
on disk over 2 GB; beside it the largest size while it was made, the peak of memory, and how long a latent
takes that is read for the first time. With fewer latents, each fires as often as it would among all, and
sizes are extrapolated: what is there for each latent is multiplied, what is there for each image is not.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.sparse import csr_array, save_npz

from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.writer import staging_folder

ROOT = Path(__file__).parents[1]
FULL_LATENTS, LIMIT_GB, DIMENSION = 65_536, 2.0, 64
LATENTS_READ = 200


def write_arrays(folder: Path, images: int, latents: int, active: float) -> int:
    """The two files that `csp import` is given; returns how many numbers other than 0 there are."""
    random = np.random.default_rng(0)
    share = 1 / np.arange(1, latents + 1) ** 0.7
    random.shuffle(share)
    counts = random.binomial(images, np.minimum(0.5, share * active / share.sum()))
    rows = np.concatenate([random.choice(images, count, replace=False) for count in counts])
    columns = np.repeat(np.arange(latents, dtype=np.int32), counts)
    values = random.exponential(1, len(rows)).astype(np.float32)
    save_npz(folder / "latents.npz", csr_array((values, (rows, columns)), shape=(images, latents)))
    embeddings = random.standard_normal((images, DIMENSION), dtype=np.float32)
    np.save(folder / "embeddings.npy", embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
    return len(rows)


def import_them(folder: Path) -> tuple[float, int]:
    """Runs the command; returns the minutes it took and the most bytes that lay on the disk meanwhile."""
    command = [sys.executable, "-m", "csp", "import", "--activations", str(folder / "latents.npz")]
    command += ["--embeddings", str(folder / "embeddings.npy"), "--out", str(folder / "run")]
    start, most = time.perf_counter(), 0
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "CSP_HOME": str(folder / "home")}, stdout=sys.stderr
    )
    while process.poll() is None:
        most = max(most, _bytes(staging_folder(folder / "run")))
        time.sleep(2)
    if process.returncode:
        raise SystemExit(process.returncode)
    return (time.perf_counter() - start) / 60, most


def _bytes(folder: Path) -> int:
    """What a folder holds that is being written; a file that is gone by now counts as nothing."""
    sizes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                sizes += (Path(where) / name).stat().st_size
    return sizes


def read_times(run: Run, latents: int) -> np.ndarray:
    """Milliseconds, and of the processor, for latents none of which were read before: [2, k]."""
    run.activations("imported", 0)  # opens the array
    chosen = np.random.default_rng(1).choice(np.arange(1, latents), LATENTS_READ, replace=False)
    times = []
    for latent in chosen.tolist():
        start, at_work = time.perf_counter(), time.process_time()
        run.activations("imported", latent)
        times.append((time.perf_counter() - start, time.process_time() - at_work))
    return 1000 * np.array(times).T


def main() -> None:
    """Makes the run, reads from it and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=int, default=FULL_LATENTS)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--active", type=float, default=64)
    parser.add_argument("--folder", type=Path, help="Where the files are made and removed again.")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        whole = FULL_LATENTS / options.latents
        numbers = write_arrays(folder, options.images, options.latents, options.active / whole)
        minutes, most = import_them(folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        times, at_work = read_times(Run.open(folder / "run"), options.latents)
        of_latents = sum(_bytes(folder / "run" / part) for part in ("arrays.zarr/activations-0", "tables"))
        more = (whole - 1) * of_latents
        size = (_bytes(folder / "run") + more) / 1e9
        figures = {
            "what": f"{options.images:,} images x {FULL_LATENTS:,} latents, {options.active:g} on an image",
            "ratio": round(size / LIMIT_GB, 3),
            "ratio_of": f"size on disk over {LIMIT_GB} GB" + (", extrapolated" if whole > 1 else ""),
            "measured_latents": options.latents,
            "numbers_other_than_0": numbers,
            "disk_gb": round(size, 2),
            "disk_while_made_gb": round((most + 2 * more) / 1e9, 2),
            "full_gb": round(4 * options.images * FULL_LATENTS / 1e9, 1),
            "latent_ms_median": round(float(np.median(times)), 2),
            "latent_ms_95": round(float(np.quantile(times, 0.95)), 2),
            "latent_processor_ms_95": round(float(np.quantile(at_work, 0.95)), 2),
            "peak_memory_gb": round(peak, 2),
            "minutes": round(minutes, 1),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
