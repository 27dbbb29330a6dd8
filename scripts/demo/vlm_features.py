"""What the frozen tower sees in every image, computed once and kept under `cache/training`.

Each image is seen in several random grids, turned, cropped, lit and blurred as in the tower's training. So
the text model hardly meets the same grid twice, and a grid costs next to nothing.
"""

from __future__ import annotations

import io

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Float16, Int64
from torch import Tensor

from csp.keeping.atomic import write_bytes
from scripts.demo.data import Images, load_cases, load_images, renderer_fingerprint, training_folder, truth
from scripts.demo.train_clip import FOLDER, embed_images
from scripts.demo.training import augmented, prepared
from scripts.demo.vlm_neurons import Pool
from scripts.demo.vlm_tower import BLURRED, ROWS, TILE, TowerWithHead, blurred, tile_vectors

SEEN = 4  # times that each image is seen
BATCH = 4 * ROWS**2  # images


def load_pool(seeds: range) -> Pool:
    """The images of `seeds`: what they show, and the demo CLIP's embeddings, by which twins are found."""
    path = training_folder() / f"vlm-embeddings-{renderer_fingerprint()}-{seeds.start}-{seeds.stop}.npy"
    if not path.exists():
        model = open_clip.create_model(f"local-dir:{FOLDER}")
        content = io.BytesIO()
        np.save(content, embed_images(model, load_images(seeds)))
        write_bytes(path, content.getvalue())
    return Pool(truth(load_cases(seeds)), np.load(path))


def load_seen(name: str, model: TowerWithHead, seeds: range) -> Float16[np.ndarray, "s n v d"]:
    """The vectors of the images of `seeds` as the tower called `name` sees them, `SEEN` times."""
    images, paths = load_images(seeds), []
    for time in range(SEEN):
        paths.append(training_folder() / f"{name}-seen-{seeds.start}-{seeds.stop}-{time}.npy")
        if not paths[-1].exists():
            content = io.BytesIO()
            np.save(content, _seen_once(model, images, np.random.default_rng((17, time))))
            write_bytes(paths[-1], content.getvalue())
    return np.stack([np.load(path) for path in paths])


def grids_of(
    seen: Float16[np.ndarray, "s n v d"], pictures: Int64[np.ndarray, "p 9"], rng: np.random.Generator
) -> Float[Tensor, "p t d"]:
    """Features of whole picture grids, in the order in which the tower gives those of a real one."""
    vectors = seen[rng.integers(len(seen), size=pictures.shape), pictures].astype(np.float32)  # (p, 9, v, d)
    side = int(np.sqrt(vectors.shape[2]))
    cells = vectors.reshape(-1, ROWS, ROWS, side, side, vectors.shape[3])  # (p, row, column, y, x, d)
    return torch.from_numpy(cells.transpose(0, 1, 3, 2, 4, 5).reshape(len(cells), -1, vectors.shape[3]))


@torch.inference_mode()
def _seen_once(
    model: TowerWithHead, images: Images, rng: np.random.Generator
) -> Float16[np.ndarray, "n v d"]:
    order = rng.permutation(len(images))
    order = np.resize(order, -(-len(order) // BATCH) * BATCH)
    found: np.ndarray | None = None
    for start in range(0, len(order), BATCH):
        index = order[start : start + BATCH]
        tiles = augmented(prepared(images[index]), TILE, rng)
        tiles = blurred(tiles) if rng.random() < BLURRED else tiles
        vectors = tile_vectors(model.tower, tiles).numpy()
        found = np.zeros((len(images), *vectors.shape[1:]), np.float16) if found is None else found
        found[index] = vectors
    assert found is not None
    return found
