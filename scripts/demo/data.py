"""Training and validation images of the demo world, drawn once and kept under `cache/training/images`.

Seeds never meet: training 0 to 5,999 (the classifier with a stronger plant of its own), validation 500,000 to
501,499, the probe dataset of the demo run from 1,000,000 (render_probe.py: even seeds `selection`, odd seeds
`held-out`), tests from 2,000,000. A killed run goes on at the chunk it was in.

Usage: python -m scripts.demo.data
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from csp.keeping.atomic import write_bytes
from csp.keeping.home import home
from csp.world.dermoscopy.attributes import ATTRIBUTES, PLANTED, Case, sample_case, with_attribute
from csp.world.dermoscopy.noise import stream
from csp.world.dermoscopy.render import render

TRAINING = range(0, 6_000)
VALIDATION = range(500_000, 501_500)
DRAWN, KEPT = 256, 128  # pixels; drawn at twice the size so that fine lines are antialiased
CHUNK = 500

PLANT: dict[str, tuple[float, float]] = {"ruler": (0.85, 0.05)}
"""How often the classifier's training cases show a planted artefact: in its diagnosis, in all others."""

Images: TypeAlias = UInt8[np.ndarray, "n 128 128 3"]


def training_folder() -> Path:
    """Where images and checkpoints of the trainings are kept."""
    return home() / "training"


def renderer_fingerprint() -> str:
    """SHA-256 over the pixels of sixteen drawn cases: changes with the pictures, not with the code."""
    digest = hashlib.sha256()
    for seed in range(16):
        digest.update(np.asarray(render(sample_case(seed), 64)).tobytes())
    return digest.hexdigest()[:16]


def planted_case(seed: int) -> Case:
    """`sample_case` with the ruler of `PLANT`: a hospital that measures what it takes for a melanoma.

    In the world itself a ruler says too little about the diagnosis for a classifier to learn it.
    """
    case, rng = sample_case(seed), stream(seed, "plant")
    for attribute, (own, others) in PLANT.items():
        rate = own if case.diagnosis == PLANTED[attribute] else others
        case = with_attribute(case, attribute, bool(rng.random() < rate))
    return case


def draw(case: Case) -> UInt8[np.ndarray, "128 128 3"]:
    """The picture of one case as the trainings see it."""
    return np.asarray(render(case, DRAWN).resize((KEPT, KEPT), Image.Resampling.BOX))


def load_images(seeds: range, sample: Callable[[int], Case] = sample_case) -> Images:
    """The pictures of `seeds`, from the cache; what it lacks is drawn by two processes."""
    planted = "".join(f"-{name}-{own}-{rest}" for name, (own, rest) in PLANT.items())
    folder = training_folder() / "images" / (renderer_fingerprint() + planted * (sample is planted_case))
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    paths = [folder / f"{chunk.start}-{chunk.stop}.npy" for chunk in chunks]
    missing = [(chunk, path, sample) for chunk, path in zip(chunks, paths, strict=True) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(_draw_chunk, *zip(*missing, strict=True)))
    return np.concatenate([np.load(path) for path in paths])


def load_cases(seeds: range) -> list[Case]:
    """What the pictures of `seeds` show."""
    return [sample_case(seed) for seed in seeds]


def truth(cases: Sequence[Case]) -> Bool[np.ndarray, "n a"]:
    """Which attribute (in the order of `ATTRIBUTES`) each case has."""
    return np.array([[case.flags()[name] for name in ATTRIBUTES] for case in cases])


def _draw_chunk(seeds: range, path: Path, sample: Callable[[int], Case]) -> None:
    content = io.BytesIO()
    np.save(content, np.stack([draw(sample(seed)) for seed in seeds]))
    write_bytes(path, content.getvalue())
    print(f"{path.name}: {len(seeds)} images drawn by process {os.getpid()}", flush=True)


if __name__ == "__main__":
    for part, sample in (
        (TRAINING, planted_case),
        (TRAINING, sample_case),
        (VALIDATION, sample_case),
    ):
        print(f"seeds {part.start} to {part.stop - 1}: {len(load_images(part, sample))} images")
