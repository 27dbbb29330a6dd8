"""Trains classifiers that the demo knows nothing of on drawn cases, and makes a run of each; resumes.

    python -m benchmarks.classifiers                                    # about an hour on two processors
    python -m benchmarks.truth --worlds --runs cache/benchmarks/classifiers/runs/*
    python -m benchmarks.fit_chance --shipped --judging 0 --runs cache/benchmarks/classifiers/runs/*

They differ in architecture, in what they have to tell apart, in their pictures and in how they begin; the
probe dataset is drawn anew as well. Only the encoder and the vocabulary are the demo's. Nothing was ever
chosen by these runs. `ratio` is the lowest AUROC on cases that a classifier did not see, over guessing's.
"""

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torchvision.models import get_model

import csp
from csp.keeping.bundle import ASSETS
from csp.keeping.home import home
from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.attributes import ATTRIBUTES, DIAGNOSES, Case, sample_case
from scripts.demo.data import TRAINING, VALIDATION, load_cases, load_images, planted_case, truth
from scripts.demo.render_probe import draw, write_cases
from scripts.demo.training import MEAN, STD, Training, batches, prepared, resized, write_weights

SIZE = 96
"""Side of the input in pixels."""
PROBE = range(3_000_000, 3_001_200)
"""Cases that no training and no other run has seen."""


@dataclass(frozen=True)
class Classifier:
    """What is trained."""

    architecture: str
    layers: tuple[str, ...]
    diagnoses: bool
    attributes: bool
    planted: bool
    seed: int
    epochs: int

    @property
    def sample(self) -> Callable[[int], Case]:
        """How its training cases are drawn."""
        return planted_case if self.planted else sample_case

    @property
    def classes(self) -> tuple[str, ...]:
        """What it tells apart: the diagnoses, one of which is true, then attributes, any of which may be."""
        return DIAGNOSES * self.diagnoses + ATTRIBUTES * self.attributes


CLASSIFIERS = {
    "mobilenet": Classifier("mobilenet_v3_small", ("features.12",), True, False, False, 21, 12),
    "shufflenet": Classifier("shufflenet_v2_x1_0", ("stage4", "conv5"), True, True, False, 22, 12),
    "regnet": Classifier("regnet_y_400mf", ("trunk_output.block4",), False, True, False, 23, 8),
    "mnasnet": Classifier("mnasnet0_5", ("layers",), True, True, True, 24, 12),
    "resnet": Classifier("resnet18", ("layer3", "layer4"), True, False, True, 25, 5),
}


def told(chosen: Classifier, cases: list[Case]) -> Float32[np.ndarray, "n classes"]:
    """Which of its classes each case is."""
    diagnosis = np.array([[case.diagnosis == name for name in DIAGNOSES] for case in cases])
    parts = [diagnosis] * chosen.diagnoses + [truth(cases)] * chosen.attributes
    return np.concatenate(parts, axis=1).astype(np.float32)


def loss_of(
    chosen: Classifier, logits: Float[Tensor, "b classes"], true: Float[Tensor, "b classes"]
) -> Tensor:
    """Cross-entropy of the diagnosis, and twice that of each attribute."""
    first = len(DIAGNOSES) * chosen.diagnoses
    loss = torch.zeros(())
    if chosen.diagnoses:
        loss = loss + cross_entropy(logits[:, :first], true[:, :first].argmax(1), label_smoothing=0.05)
    if chosen.attributes:
        loss = loss + 2 * binary_cross_entropy_with_logits(logits[:, first:], true[:, first:])
    return loss


def trained(name: str, chosen: Classifier) -> nn.Module:
    """The classifier; goes on after the last epoch that was finished."""
    torch.manual_seed(chosen.seed)
    model: nn.Module = get_model(chosen.architecture, num_classes=len(chosen.classes))
    model = model.to(memory_format=torch.channels_last)
    for norm in (part for part in model.modules() if isinstance(part, nn.BatchNorm2d)):
        norm.momentum = max(norm.momentum or 0.0, 0.01)  # MNASNet's own takes more steps than there are
    images = load_images(TRAINING, chosen.sample)
    true = torch.from_numpy(told(chosen, [chosen.sample(seed) for seed in TRAINING]))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    training = Training(f"other-{name}", model, optimiser, chosen.epochs * (len(images) // 64))
    training.resume()
    for epoch in range(training.epoch, chosen.epochs):
        model.train()
        losses = []
        rng = np.random.default_rng((chosen.seed, epoch))
        for index, pixels in batches(images, SIZE, 64, rng):
            loss = loss_of(chosen, model(pixels), true[index])
            training.step(loss)
            losses.append(loss.item())
        training.finish_epoch()
        print(f"{name} {epoch}: loss {np.mean(losses):.4f}", flush=True)
    model.eval()
    return model


@torch.inference_mode()
def skill(chosen: Classifier, model: nn.Module) -> float:
    """Its mean AUROC over classes, on cases that it was not trained with."""
    images, true = load_images(VALIDATION), told(chosen, load_cases(VALIDATION)) > 0
    parts = [
        model(resized(prepared(images[start : start + 100]), SIZE)) for start in range(0, len(images), 100)
    ]
    scores = torch.cat(parts).numpy()
    return float(np.mean([auroc(scores[:, one], true[:, one]) for one in range(true.shape[1])]))


def probe(folder: Path) -> Path:
    """The table of the probe dataset."""
    if not (folder / "cases.csv").exists():
        (folder / "images").mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(draw, PROBE, [folder / "images"] * len(PROBE), chunksize=16))
        write_cases(PROBE, folder)
    return folder / "cases.csv"


def main() -> None:
    """Train, index, and print how well each tells its classes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=list(CLASSIFIERS), choices=CLASSIFIERS)
    options = parser.parse_args()
    folder = home() / "benchmarks" / "classifiers"
    skills = {}
    for name in options.only:
        chosen = CLASSIFIERS[name]
        model, weights = trained(name, chosen), folder / f"{name}.safetensors"
        skills[name] = round(skill(chosen, model), 4)
        print(f"{name}: AUROC {skills[name]}", flush=True)
        about = {"classes": chosen.classes, "mean": MEAN, "std": STD}
        described = {key: json.dumps(value) for key, value in about.items()}
        write_weights(weights, model, described | {"input_size": str(SIZE)})
        csp.index(
            model=f"torchvision:{chosen.architecture}@{weights}",
            layers=chosen.layers,
            data=f"csv:{probe(folder / 'probe')}",
            encoder=f"openclip:local-dir:{ASSETS / 'models' / 'clip'}",
            vocabulary=f"{ASSETS / 'vocabularies' / 'dermoscopy.terms.csv'}",
            out=folder / "runs" / name,
        )
    print(
        json.dumps(
            {"ratio": min(skills.values()) / 0.5, "ratio_of": "lowest AUROC to guessing", "auroc": skills}
        )
    )


if __name__ == "__main__":
    main()
