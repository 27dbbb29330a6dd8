"""The eyes of the demo's small VLM: a narrow ResNet that reads 3x3 grids, trained on what each tile shows.

A grid of 192 pixels has tiles of 64; the tower has stride 32, so each tile gives 2 x 2 vectors. It is a
part of the FastVLM class (a convolutional tower, a projector, a text model), and frozen once trained.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import TimmWrapperConfig, TimmWrapperModel

from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.attributes import ATTRIBUTES
from scripts.demo.data import Images, load_cases, load_images, renderer_fingerprint, truth
from scripts.demo.training import Training, batches, prepared, resized

ROWS = 3
TILE, STRIDE = 64, 32  # pixels
PAPER_TILE = 43  # pixels of a tile where the whole grid has the paper's 128
BLURRED = 0.3  # share of batches seen as coarsely as the paper's grids
CHANNELS = (48, 96, 160, 192)


@dataclass(frozen=True)
class TowerPlan:
    """How to train the tower."""

    epochs: int = 16
    pictures: int = 8  # a batch, of nine tiles each
    rate: float = 2e-3
    decay: float = 0.05
    seed: int = 13


def tower_config() -> TimmWrapperConfig:
    """A ResNet-18 of about a third of the usual width."""
    return TimmWrapperConfig(
        architecture="resnet18",
        model_args={"channels": list(CHANNELS)},
        do_pooling=False,
        hidden_size=CHANNELS[-1],
        num_labels=0,
    )


class TowerWithHead(nn.Module):
    """The tower and, while it trains, one linear head that says which attributes a tile shows."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = TimmWrapperModel(tower_config()).to(memory_format=torch.channels_last)
        self.head = nn.Linear(CHANNELS[-1], len(ATTRIBUTES))

    def forward(self, tiles: Float[Tensor, "n 3 t t"]) -> Float[Tensor, "n a"]:
        """Logits of the attributes of each tile, from the mean over its vectors."""
        logits: Tensor = self.head(tile_vectors(self.tower, tiles).mean(1))
        return logits


def as_pictures(tiles: Float[Tensor, "n 3 t t"]) -> Float[Tensor, "p 3 g g"]:
    """Nine tiles each become one picture grid, row by row."""
    apart = tiles.reshape(-1, ROWS, ROWS, *tiles.shape[1:])  # (p, row, column, 3, y, x)
    grid = apart.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)
    return grid.contiguous(memory_format=torch.channels_last)


def tile_vectors(tower: nn.Module, tiles: Float[Tensor, "n 3 t t"]) -> Float[Tensor, "n v d"]:
    """The vectors that the tower gives each tile within its picture grid, row by row."""
    features: Tensor = tower(as_pictures(tiles)).last_hidden_state  # (p, d, 6, 6)
    side = TILE // STRIDE
    cells = features.reshape(*features.shape[:2], ROWS, side, ROWS, side)  # (p, d, row, y, column, x)
    return cells.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)


def blurred(tiles: Float[Tensor, "n 3 t t"]) -> Float[Tensor, "n 3 t t"]:
    """The tiles as the processor enlarges them from a grid of the paper's 128 pixels."""
    return resized(resized(tiles, PAPER_TILE), TILE)


def train_tower(plan: TowerPlan, seeds: range) -> tuple[TowerWithHead, str]:
    """Run the epochs that are left; the name under which the training is kept comes back too."""
    torch.manual_seed(plan.seed)
    model = TowerWithHead()
    images, shown = load_images(seeds), torch.from_numpy(truth(load_cases(seeds)).astype(np.float32))
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay)
    batch = plan.pictures * ROWS**2
    widths = "-".join(map(str, CHANNELS))
    name = f"vlm-tower-{renderer_fingerprint()}-{len(seeds)}x{plan.epochs}-{TILE}-{widths}"
    training = Training(name, model, optimiser, plan.epochs * (len(images) // batch))
    training.resume()
    for epoch in range(training.epoch, plan.epochs):
        start, losses = time.monotonic(), []
        rng = np.random.default_rng((plan.seed, epoch))
        model.train()
        for index, tiles in batches(images, TILE, batch, rng):
            seen = blurred(tiles) if rng.random() < BLURRED else tiles
            loss = binary_cross_entropy_with_logits(model(seen), shown[index])
            training.step(loss)
            losses.append(loss.item())
        training.finish_epoch()
        print(
            f"tower epoch {epoch}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s", flush=True
        )
    return model.eval(), name


@torch.inference_mode()
def attribute_logits(model: TowerWithHead, images: Images) -> Float[np.ndarray, "n a"]:
    """Logits of whole pictures, ten grids at a time; the number of images is a multiple of nine."""
    model.eval()
    parts = [
        model(resized(prepared(images[start : start + 90]), TILE)) for start in range(0, len(images), 90)
    ]
    return torch.cat(parts).numpy()


def tower_numbers(model: TowerWithHead, seeds: range) -> dict[str, float]:
    """AUROC of each attribute on held-out tiles."""
    seeds = seeds[: len(seeds) // 9 * 9]
    true, scores = truth(load_cases(seeds)), attribute_logits(model, load_images(seeds))
    found = {name: round(auroc(scores[:, i], true[:, i]), 4) for i, name in enumerate(ATTRIBUTES)}
    return {"mean": round(float(np.mean(list(found.values()))), 4), **found}
