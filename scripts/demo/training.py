"""What both demo trainings share: batches with augmentation, checkpoints, the report.

An epoch depends on its number and the checkpoint before it only, so that a training which was killed
and started again ends with the same weights as one that was not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.functional import interpolate

from csp.keeping.atomic import write_bytes
from csp.keeping.bundle import ASSETS
from scripts.demo.data import KEPT, Images, training_folder

MODELS = ASSETS / "models"
MEAN, STD = (0.6, 0.47, 0.42), (0.22, 0.22, 0.22)
THREADS = 2
CROP = 0.85  # side of the smallest crop, in sides of the picture


class Training:
    """A model, its optimiser and schedule, saved whole after each epoch under a name."""

    def __init__(self, name: str, model: nn.Module, optimiser: torch.optim.Optimizer, steps: int) -> None:
        self.path = training_folder() / f"{name}.pt"
        self.model = model
        self.optimiser = optimiser
        top = [group["lr"] for group in optimiser.param_groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, top, total_steps=steps, pct_start=0.2)
        self.epoch = 0

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            self.epoch = state["epoch"]
            for part in ("model", "optimiser", "schedule"):
                getattr(self, part).load_state_dict(state[part])

    def step(self, loss: Tensor) -> None:
        """One update of the weights."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()

    def finish_epoch(self) -> None:
        """Write the checkpoint: the old one stays until the new one is complete."""
        self.epoch += 1
        state = {part: getattr(self, part).state_dict() for part in ("model", "optimiser", "schedule")}
        content = io.BytesIO()
        torch.save({"epoch": self.epoch, **state}, content)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(self.path, content.getvalue())


def batches(
    images: Images, size: int, batch: int, rng: np.random.Generator, crop: float = CROP
) -> Iterator[tuple[Int[np.ndarray, " b"], Float[Tensor, "b 3 h w"]]]:
    """Indices and augmented pictures of one epoch in random order; the last, short batch is left out."""
    order = rng.permutation(len(images))
    for start in range(0, len(order) - batch + 1, batch):
        index = np.sort(order[start : start + batch])
        yield index, augmented(prepared(images[index]), size, rng, crop)


def prepared(images: Images) -> Float[Tensor, "b 3 h w"]:
    """Bytes to normalised channels-last floats."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def resized(pixels: Float[Tensor, "b 3 h w"], size: int) -> Float[Tensor, "b 3 s s"]:
    """Shrink as the adapters' preprocessing does: bilinear, antialiased."""
    small = interpolate(pixels, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return small.contiguous(memory_format=torch.channels_last)


def augmented(
    pixels: Float[Tensor, "b 3 h w"], size: int, rng: np.random.Generator, crop: float = CROP
) -> Float[Tensor, "b 3 s s"]:
    """One of eight flips and turns and one mild crop for the batch, brightness and tint for each picture."""
    side = int(rng.integers(int(crop * KEPT), KEPT + 1))
    top, left = (int(rng.integers(KEPT - side + 1)) for _ in range(2))
    pixels = torch.rot90(pixels[:, :, top : top + side, left : left + side], int(rng.integers(4)), (2, 3))
    pixels = pixels.flip(3) if rng.random() < 0.5 else pixels
    light = rng.normal(0, 0.2, (len(pixels), 1, 1, 1)) + rng.normal(0, 0.06, (len(pixels), 3, 1, 1))
    return resized(pixels + torch.from_numpy(light.astype(np.float32)), size)


def half(model: nn.Module) -> dict[str, Tensor]:
    """The weights for shipping: floats in 16 bit, in the plain memory format."""
    state = model.state_dict().items()
    return {key: (value.half() if value.is_floating_point() else value).contiguous() for key, value in state}


def write_weights(path: Path, model: nn.Module, metadata: dict[str, str]) -> None:
    """Write a safetensors file of `half(model)`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(half(model), metadata))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file for people and programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def report(part: str, numbers: dict[str, Any]) -> None:
    """Put the numbers of one training into `assets/models/report.json`, keeping the other's."""
    path = MODELS / "report.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    write_json(path, {**known, part: numbers})
