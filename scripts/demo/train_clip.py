"""Trains the demo's small CLIP on drawn cases and their captions; resumes after a stop.

Usage: python -m scripts.demo.train_clip
Writes assets/models/clip/ (an OpenCLIP folder) and its part of assets/models/report.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Int
from open_clip.model import CLIP
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.attributes import ATTRIBUTES
from csp.world.dermoscopy.captions import caption
from csp.world.dermoscopy.terms import names
from csp.world.protocols.templates import TEMPLATES
from scripts.demo.data import (
    TRAINING,
    VALIDATION,
    Images,
    load_cases,
    load_images,
    renderer_fingerprint,
    truth,
)
from scripts.demo.tokenizer import write_tokenizer
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
    write_json,
    write_weights,
)

FOLDER = MODELS / "clip"
CONTEXT, TOKENS, SIZE = 40, 1400, 112
CONFIG = {
    "model_cfg": {
        "embed_dim": 64,
        # OpenCLIP's own ResNet (attention pooling) learned half as fast, above all what lies in corners.
        "vision_cfg": {"image_size": SIZE, "timm_model_name": "test_resnet", "timm_pool": "avg"},
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": TOKENS,
            "hf_tokenizer_name": ".",  # any name: OpenCLIP reads the tokenizer beside this file
            "width": 96,
            "heads": 4,
            "layers": 2,
            "pool_type": "eos",
            "eos_id": 2,
        },
    },
    "preprocess_cfg": {
        "size": SIZE,
        "mean": MEAN,
        "std": STD,
        "interpolation": "bilinear",
        "resize_mode": "shortest",
    },
}
Tokenize = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class Plan:
    """How to train. A share of captions is noised, so that an unknown word is no finding."""

    epochs: int = 16
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.1
    captions: int = 3
    noised: float = 0.3
    seed: int = 11


def train(model: CLIP, tokenize: Tokenize, plan: Plan, seeds: range) -> None:
    """Run the epochs that are left, each with fresh captions."""
    images, cases = load_images(seeds), load_cases(seeds)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay)
    name = f"clip-{renderer_fingerprint()}-{len(seeds)}x{plan.epochs}-{SIZE}"
    training = Training(name, model, optimiser, plan.epochs * (len(images) // plan.batch))
    training.resume()
    for epoch in range(training.epoch, plan.epochs):
        start, losses = time.monotonic(), []
        rng = np.random.default_rng((plan.seed, epoch))
        model.train()
        for index, pixels in batches(images, SIZE, plan.batch, rng):
            tokens = tokenize([caption(cases[i], rng) for i in index for _ in range(plan.captions)])
            loss = contrast(model, pixels, noised(tokens, plan.noised, rng))
            training.step(loss)
            losses.append(loss.item())
        training.finish_epoch()
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s", flush=True)


def contrast(model: CLIP, pixels: Float[Tensor, "b 3 h w"], tokens: Int[Tensor, "bm t"]) -> Tensor:
    """The symmetric cross-entropy of CLIP, mean over the m captions of each image.

    Several captions an image cost little, since most of the work is in the image tower.
    """
    image = model.encode_image(pixels, normalize=True)  # (b, d)
    text = (
        model.encode_text(tokens, normalize=True).unflatten(0, (len(image), -1)).transpose(0, 1)
    )  # (m, b, d)
    logits = model.logit_scale.exp().clamp(max=100) * image @ text.mT  # (m, b, b)
    own = torch.arange(len(image)).expand(len(text), -1)
    return (cross_entropy(logits.mT, own) + cross_entropy(logits, own)) / 2


def noised(tokens: Int[Tensor, "b t"], share: float, rng: np.random.Generator) -> Int[Tensor, "b t"]:
    """In a `share` of captions, every tenth word piece becomes a random one."""
    hit = (rng.random(tokens.shape) < 0.1) & (rng.random((len(tokens), 1)) < share)
    random = torch.from_numpy(rng.integers(3, TOKENS, tokens.shape))
    return torch.where(torch.from_numpy(hit) & (tokens > 2), random, tokens)


@torch.inference_mode()
def embed_images(model: CLIP, images: Images) -> Float[np.ndarray, "n d"]:
    """Unit embeddings of whole pictures."""
    model.eval()
    parts = [
        model.encode_image(resized(prepared(images[start : start + 100]), SIZE), normalize=True)
        for start in range(0, len(images), 100)
    ]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def embed_text(model: CLIP, tokenize: Tokenize, text: str) -> Float[np.ndarray, " d"]:
    """Unit mean over the app's own templates."""
    tokens = tokenize([template.format(text) for template in TEMPLATES])
    mean = normalize(model.encode_text(tokens, normalize=True).mean(0), dim=0)
    return mean.numpy()


def numbers(model: CLIP, tokenize: Tokenize, seeds: range) -> dict[str, object]:
    """Zero-shot AUROC on held-out cases: per attribute with its wordings averaged, and of each wording."""
    true, images = truth(load_cases(seeds)), embed_images(model, load_images(seeds))
    texts = {name: [embed_text(model, tokenize, text) for text in names(name)] for name in ATTRIBUTES}
    attributes = {name: _auroc(true, name, images @ np.mean(texts[name], axis=0)) for name in ATTRIBUTES}
    wordings = {
        text: _auroc(true, name, images @ vector)
        for name in ATTRIBUTES
        for text, vector in zip(names(name), texts[name], strict=True)
    }
    return {
        "zero_shot_auroc": attributes,
        "mean": round(float(np.mean(list(attributes.values()))), 4),
        "zero_shot_auroc_of_single_wordings": wordings,
        "mean_of_single_wordings": round(float(np.mean(list(wordings.values()))), 4),
        "images": len(seeds),
        "seeds": [seeds.start, seeds.stop - 1],
        "renderer": renderer_fingerprint(),
    }


def _auroc(true: np.ndarray, name: str, scores: np.ndarray) -> float:
    return round(auroc(scores, true[:, ATTRIBUTES.index(name)]), 4)


def main() -> None:
    """Train, ship, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=len(TRAINING), help="fewer for a try")
    parser.add_argument("--epochs", type=int, default=Plan.epochs, help="fewer for a try")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    plan = Plan(epochs=options.epochs)
    torch.manual_seed(plan.seed)
    write_json(FOLDER / "open_clip_config.json", CONFIG)
    write_tokenizer(FOLDER, plan.seed, TOKENS, CONTEXT)
    tokenize = open_clip.get_tokenizer(f"local-dir:{FOLDER}")
    model = CLIP(**CONFIG["model_cfg"])
    train(model, tokenize, plan, TRAINING[: options.images])
    write_weights(FOLDER / "open_clip_model.safetensors", model, {"format": "pt"})
    found = numbers(model, tokenize, VALIDATION)
    report("clip", found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
