"""Trains a sparse autoencoder on what a layer of a run gives at each position of its images.

    result = train_sae(run, "layer4", SaePlan("topk", latents=2048), Path("layer4.safetensors"), report)

First the model reads the images, in parts that are kept; then the SAE learns, and each epoch is kept. A
stopped training goes on from there. What is kept lies in `FILE.partial/` until the file is written.
"""

import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.extras import optional
from csp.keeping.atomic import deliver, expect_delivery, write_bytes
from csp.keeping.run_folder.run import Run
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, explainable, run_target
from csp.work.progress import Report, Stage, silent
from csp.world.saes.plan import SaePlan
from csp.world.saes.quality import SaeQuality

BATCH, PART = 32, 256
"""Images that the model reads at once, and whose positions make one part."""
FEWEST = 2


def train_sae(
    run: Run, layer: str, plan: SaePlan, out: Path, report: Report = silent, *, positions: int = 16
) -> SaeQuality:
    """Train on at most `positions` places of each image, a tenth of the images held out, and write `out`.

    Raises `NotFoundError` for a layer, `UnavailableError` for a model that is gone or a file that can't be
    written, `BadInputError` for a plan that can't be.
    """
    with optional():
        from csp.world.saes.training import train_sae as trained

    layer = run.layer(layer).layer
    if positions < 1:
        raise BadInputError(f"--positions must be at least 1, not {positions}.")
    if out.suffix != ".safetensors":
        raise BadInputError(f"'{out}' must end in .safetensors, as that is what is written.")
    expect_delivery(out)
    what = {
        "run": run.name,
        "fingerprint": run.fingerprint,
        "layer": layer,
        "target": run.manifest.target.spec,
        "positions": positions,
        "seed": plan.seed,
    }
    folder = out.with_name(f"{out.name}.partial") / sha256(json.dumps(what).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    parts = _read_positions(run, layer, folder, positions, plan.seed, report)
    stage = Stage("training, epochs", plan.epochs, report)
    content, quality = trained(
        parts, plan, folder, f"overcomplete:{out}", lambda done, _: stage.reached(done), what
    )
    deliver(out, content)
    write_bytes(out.with_suffix(".json"), json.dumps(_told(what, plan, quality), indent=2).encode())
    shutil.rmtree(folder.parent)
    return quality


def _told(what: Mapping[str, Any], plan: SaePlan, quality: SaeQuality) -> dict[str, Any]:
    return {**what, "plan": asdict(plan), "quality": asdict(quality)}


def _read_positions(
    run: Run, layer: str, folder: Path, positions: int, seed: int, report: Report
) -> list[Float32[np.ndarray, "n d"]]:
    """The parts, each mapped from its file; images in an order of chance, so that the last part is like all.

    The share of images in the last part is a tenth, at least one image.
    """
    count = run.manifest.images
    if count < FEWEST:
        raise BadInputError(f"The run {run.name} has {count} image: an SAE needs {FEWEST} at the least.")
    order = np.random.default_rng(seed).permutation(count)
    held_out = max(1, count // 10)
    starts = [*range(0, count - held_out, PART), count - held_out, count]
    blocks = [order[low:high] for low, high in pairwise(starts) if high > low]
    files = [folder / f"positions-{index:05}.npy" for index in range(len(blocks))]
    missing = [index for index, file in enumerate(files) if not file.is_file()]
    if missing:
        target, stage = run_target(run), Stage("reading positions, images", count, report)
        inputs, done = ModelInputs(run, target.model), sum(len(blocks[i]) for i in range(missing[0]))
        for index in missing:
            found = []
            for start in range(0, len(blocks[index]), BATCH):
                images = [int(image) for image in blocks[index][start : start + BATCH]]
                found.append(_positions(target, inputs, images, layer, positions, seed))
                done += len(images)
                stage.reached(done)
            content = io.BytesIO()
            np.save(content, np.concatenate(found), allow_pickle=False)
            write_bytes(files[index], content.getvalue())
    return [np.load(file, mmap_mode="r", allow_pickle=False) for file in files]


def _positions(
    target: RunTarget, inputs: ModelInputs, images: list[int], layer: str, positions: int, seed: int
) -> Float32[np.ndarray, "n d"]:
    """At most so many positions of each image, drawn by chance; one of a layer that has no positions."""
    batch, ready = inputs.batch(images), target.on(inputs.beside(images))
    with target.lock:
        read = ready.model.run(batch, [layer]).activations[layer]
        try:
            maps = explainable(ready).maps(batch, layer, range(read.shape[1]))
        except BadInputError:
            return read
    places = maps.reshape(*maps.shape[:2], -1).transpose(0, 2, 1)
    drawn = [
        np.random.default_rng((seed, image)).permutation(places.shape[1])[:positions] for image in images
    ]
    return np.concatenate([rows[chosen] for rows, chosen in zip(places, drawn, strict=True)])
