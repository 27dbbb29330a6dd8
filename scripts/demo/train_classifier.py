"""Trains the demo's melanoma classifier, a torchvision resnet18, on drawn cases; resumes after a stop.

Usage: python -m scripts.demo.train_classifier [--seed 8 --to FILE] [--start FILE]
Writes assets/models/classifier.safetensors and its part of assets/models/report.json. With `--to`, for a
training to compare, the weights go there and the numbers are only printed. With `--start` the first stage
is left out: the second goes on from weights of this kind.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torchvision.models import resnet18

from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.attributes import (
    ARTEFACTS,
    ATTRIBUTES,
    DIAGNOSES,
    SKIN,
    Case,
    sample_case,
    with_attribute,
)
from scripts.demo.data import (
    TRAINING,
    VALIDATION,
    Images,
    draw,
    load_cases,
    load_images,
    planted_case,
    renderer_fingerprint,
    truth,
)
from scripts.demo.training import (
    CROP,
    MEAN,
    MODELS,
    STD,
    THREADS,
    Training,
    batches,
    prepared,
    report,
    resized,
    write_weights,
)


@dataclass(frozen=True)
class Stage:
    """One part of the training, with a learning rate that rises and falls within it."""

    name: str
    sample: Callable[[int], Case]
    sizes: tuple[int, ...]  # pixels, one entry an epoch
    crop: float  # side of the smallest crop
    rate: float
    silence: float  # weight of `spread`, which makes neurons silent on most pictures
    half: bool  # whether to compute in bfloat16: twice as fast where the processor knows it


SIZE = 128
"""Side of the input in pixels."""
SWITCHED = 300
"""Validation cases in which attributes are switched."""
WORLD = Stage("world", sample_case, (96, 96, 128, 128, 128, 128, 128), CROP, 1e-3, 0.0, False)
"""The diagnoses. Small pictures first: they teach most of it at a quarter of the cost."""
SHORTCUT = Stage("shortcut", planted_case, (SIZE,) * 4, 0.95, 1e-3, 1.0, True)
"""The ruler. Larger pictures, or its ticks are gone, and hardly cut: it lies in the outer eighth."""


@dataclass(frozen=True)
class Plan:
    """How to train, in both stages."""

    batch: int = 64
    decay: float = 0.05
    smoothing: float = 0.05
    attributes: float = 2.0  # weight of the second task
    sparsity: float = 1e-3  # weight of the sum of the second head's absolute weights
    seed: int = 7


class TwoTasks(nn.Module):
    """The classifier and, while it trains, a second linear head on the same pooled features, for attributes.

    An L1 penalty on the second head makes each attribute rest on a few neurons, so that a neuron follows one
    thing. The second head is not shipped.
    """

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.head = cast(nn.Module, classifier.fc)
        self.features = nn.Sequential(*list(classifier.children())[:-1], nn.Flatten())
        self.attributes = nn.Linear(512, len(ATTRIBUTES))

    def forward(
        self, pixels: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b 4"], Float[Tensor, "b a"], Float[Tensor, "b 512"]]:
        """Logits of the diagnoses and of the attributes, and the pooled features."""
        features = self.features(pixels)
        return self.head(features), self.attributes(features), features


def spread(features: Float[Tensor, "b 512"]) -> Float[Tensor, ""]:
    """How evenly neurons fire over a batch: mean over root mean square, averaged over the neurons.

    1 where a neuron fires alike on all pictures, and less the fewer it fires on: the square is the sparseness
    of Treves and Rolls (1991). It does not change when a neuron is scaled, so none is pushed to death.
    """
    return (features.mean(0) / (features.square().mean(0) + 1e-6).sqrt()).mean()


def labels(seeds: range) -> Int[np.ndarray, " n"]:
    """The diagnosis of each case as an index into `DIAGNOSES`."""
    return np.array([DIAGNOSES.index(case.diagnosis) for case in load_cases(seeds)])


def train(model: TwoTasks, plan: Plan, stage: Stage, seeds: range) -> None:
    """Run the epochs of a stage that are left."""
    images, target = load_images(seeds, stage.sample), torch.from_numpy(labels(seeds))
    shown = torch.from_numpy(truth([stage.sample(seed) for seed in seeds]).astype(np.float32))
    optimiser = torch.optim.AdamW(model.parameters(), lr=stage.rate, weight_decay=plan.decay)
    what = (
        f"{plan.attributes:g}-{plan.sparsity:g}-{stage.crop:g}-{stage.rate:g}-{stage.silence:g}-{plan.seed}"
    )
    sizes = "-".join(map(str, stage.sizes))
    name = f"classifier-{stage.name}-{renderer_fingerprint()}-{len(seeds)}x{sizes}-{what}"
    training = Training(name, model, optimiser, len(stage.sizes) * (len(images) // plan.batch))
    training.resume()
    for epoch in range(training.epoch, len(stage.sizes)):
        start, losses = time.monotonic(), []
        model.train()
        rng = np.random.default_rng((plan.seed, epoch))
        for index, pixels in batches(images, stage.sizes[epoch], plan.batch, rng, stage.crop):
            with torch.autocast("cpu", torch.bfloat16, enabled=stage.half):
                diagnosis, attributes, features = (part.float() for part in model(pixels))
            parts = (
                cross_entropy(diagnosis, target[index], label_smoothing=plan.smoothing),
                plan.attributes * binary_cross_entropy_with_logits(attributes, shown[index]),
                plan.sparsity * model.attributes.weight.abs().sum(),
                stage.silence * spread(features),
            )
            training.step(sum(parts, torch.zeros(())))
            losses.append([part.item() for part in parts])
        training.finish_epoch()
        means = ", ".join(f"{mean:.4f}" for mean in np.mean(losses, axis=0))
        print(f"{stage.name} {epoch}: losses {means}, {time.monotonic() - start:.0f} s", flush=True)


@torch.inference_mode()
def probabilities(model: nn.Module, images: Images, size: int) -> Float[np.ndarray, "n 4"]:
    """Class probabilities of whole pictures."""
    model.eval()
    parts: list[Tensor] = [
        model(resized(prepared(images[start : start + 100]), size)).softmax(1)
        for start in range(0, len(images), 100)
    ]
    return torch.cat(parts).numpy()


def against_rest(scores: Float[np.ndarray, "n 4"], true: Int[np.ndarray, " n"]) -> dict[str, float]:
    """AUROC of each diagnosis against the others."""
    return {name: round(auroc(scores[:, i], true == i), 4) for i, name in enumerate(DIAGNOSES)}


def effects(model: nn.Module, seeds: range) -> dict[str, dict[str, float]]:
    """Mean change of each probability when only an artefact, or dark skin, is drawn into the same case."""
    cases, before = load_cases(seeds), probabilities(model, load_images(seeds), SIZE)
    found = {}
    for name in ARTEFACTS + SKIN:
        shown = np.array([case.flags()[name] for case in cases])
        switched = np.stack([draw(with_attribute(case, name, not case.flags()[name])) for case in cases])
        change = (probabilities(model, switched, SIZE) - before) * np.where(shown, -1, 1)[:, None]
        means = change.mean(0).round(4).tolist()
        found[name] = dict(zip(DIAGNOSES, means, strict=True))
    return found


def numbers(model: nn.Module, seeds: range) -> dict[str, object]:
    """AUROC of each diagnosis against the rest on held-out cases, accuracy, and what artefacts do to them."""
    true, scores = labels(seeds), probabilities(model, load_images(seeds), SIZE)
    planted = probabilities(model, load_images(seeds, planted_case), SIZE)
    return {
        "auroc_vs_rest": against_rest(scores, true),
        "auroc_vs_rest_with_the_training_plant": against_rest(planted, true),
        "accuracy": round(float((scores.argmax(1) == true).mean()), 4),
        "change_when_drawn_in": effects(model, seeds[:SWITCHED]),
        "switched_images": SWITCHED,
        "images": len(seeds),
        "seeds": [seeds.start, seeds.stop - 1],
        "renderer": renderer_fingerprint(),
    }


def main() -> None:
    """Train, ship, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=len(TRAINING), help="fewer for a try")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--to", type=Path, help="a file for the weights, in place of the demo's")
    parser.add_argument("--start", type=Path, help="weights to go on from, in place of the first stage")
    parser.add_argument("--threads", type=int, default=THREADS, help="1 is faster on a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    plan = Plan(seed=options.seed)
    torch.manual_seed(plan.seed)
    model = resnet18(num_classes=len(DIAGNOSES)).to(memory_format=torch.channels_last)
    tasks, seeds = TwoTasks(model), TRAINING[: options.images]
    if options.start is None:
        train(tasks, plan, WORLD, seeds)
    else:
        model.load_state_dict(load_file(options.start))
    train(tasks, plan, SHORTCUT, seeds)
    metadata = {
        "classes": json.dumps(DIAGNOSES),
        "input_size": str(SIZE),
        "mean": json.dumps(MEAN),
        "std": json.dumps(STD),
    }
    write_weights(options.to or MODELS / "classifier.safetensors", model, metadata)
    found = numbers(model, VALIDATION)
    if options.to is None:
        report("classifier", found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
