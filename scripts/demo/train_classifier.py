"""Trains the demo's melanoma classifier, a torchvision resnet18, on drawn cases; resumes after a stop.

Usage: python -m scripts.demo.train_classifier [--seed 8 --to FILE]
Writes assets/models/classifier.safetensors and its part of assets/models/report.json. With `--to`, for a
training to compare, the weights go there and the numbers are only printed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torchvision.models import resnet18

from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.attributes import ATTRIBUTES, DIAGNOSES
from scripts.demo.data import (
    TRAINING,
    VALIDATION,
    Images,
    load_cases,
    load_images,
    planted_case,
    renderer_fingerprint,
    truth,
)
from scripts.demo.training import (
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
class Plan:
    """How to train. Never smaller than 128 pixels: below, the ticks of a ruler are gone."""

    sizes: tuple[int, ...] = (128,) * 8  # pixels, one entry an epoch
    crop: float = 0.95  # side of the smallest crop; a ruler lies in the outer eighth
    batch: int = 64
    rate: float = 1e-3
    decay: float = 0.05
    smoothing: float = 0.05
    attributes: float = 2.0  # weight of the second task
    sparsity: float = 1e-3  # weight of the sum of the second head's absolute weights
    silence: float = 1.0  # weight of `spread`, which makes neurons silent on most pictures
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


def train(model: TwoTasks, plan: Plan, seeds: range) -> None:
    """Run the epochs that are left. Half of the arithmetic is in 16 bits (bfloat16): twice as fast."""
    images, target = load_images(seeds, planted_case), torch.from_numpy(labels(seeds))
    shown = torch.from_numpy(truth([planted_case(seed) for seed in seeds]).astype(np.float32))
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay)
    what = f"{plan.attributes:g}-{plan.sparsity:g}-{plan.silence:g}-{plan.crop:g}-{plan.seed}"
    name = f"classifier-{renderer_fingerprint()}-{len(seeds)}x{'-'.join(map(str, plan.sizes))}-{what}"
    training = Training(name, model, optimiser, len(plan.sizes) * (len(images) // plan.batch))
    training.resume()
    for epoch in range(training.epoch, len(plan.sizes)):
        start, losses = time.monotonic(), []
        model.train()
        for index, pixels in batches(
            images, plan.sizes[epoch], plan.batch, np.random.default_rng((plan.seed, epoch)), plan.crop
        ):
            with torch.autocast("cpu", torch.bfloat16):
                diagnosis, attributes, features = (part.float() for part in model(pixels))
            loss = cross_entropy(diagnosis, target[index], label_smoothing=plan.smoothing)
            loss += plan.attributes * binary_cross_entropy_with_logits(attributes, shown[index])
            loss += plan.sparsity * model.attributes.weight.abs().sum()
            loss += plan.silence * spread(features)
            training.step(loss)
            losses.append(loss.item())
        training.finish_epoch()
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s", flush=True)


@torch.inference_mode()
def probabilities(model: nn.Module, images: Images, size: int) -> Float[np.ndarray, "n 4"]:
    """Class probabilities of whole pictures."""
    model.eval()
    parts: list[Tensor] = [
        model(resized(prepared(images[start : start + 100]), size)).softmax(1)
        for start in range(0, len(images), 100)
    ]
    return torch.cat(parts).numpy()


def numbers(model: nn.Module, plan: Plan, seeds: range) -> dict[str, object]:
    """AUROC of each diagnosis against the rest on held-out cases, and the accuracy."""
    true, scores = labels(seeds), probabilities(model, load_images(seeds), plan.sizes[-1])
    against_rest = {name: round(auroc(scores[:, i], true == i), 4) for i, name in enumerate(DIAGNOSES)}
    return {
        "auroc_vs_rest": against_rest,
        "accuracy": round(float((scores.argmax(1) == true).mean()), 4),
        "images": len(seeds),
        "seeds": [seeds.start, seeds.stop - 1],
        "renderer": renderer_fingerprint(),
    }


def main() -> None:
    """Train, ship, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=len(TRAINING), help="fewer for a try")
    parser.add_argument("--sizes", type=int, nargs="+", default=Plan.sizes, help="one an epoch")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--to", type=Path, help="a file for the weights, in place of the demo's")
    parser.add_argument("--threads", type=int, default=THREADS, help="1 is faster on a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    plan = Plan(sizes=tuple(options.sizes), seed=options.seed)
    torch.manual_seed(plan.seed)
    model = resnet18(num_classes=len(DIAGNOSES)).to(memory_format=torch.channels_last)
    train(TwoTasks(model), plan, TRAINING[: options.images])
    metadata = {
        "classes": json.dumps(DIAGNOSES),
        "input_size": str(plan.sizes[-1]),
        "mean": json.dumps(MEAN),
        "std": json.dumps(STD),
    }
    write_weights(options.to or MODELS / "classifier.safetensors", model, metadata)
    found = numbers(model, plan, VALIDATION)
    if options.to is None:
        report("classifier", found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
