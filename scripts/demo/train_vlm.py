"""Trains the demo's small VLM, first its tower on tiles, then its text model on made-up neurons; resumes.

Usage: python -m scripts.demo.train_vlm
Writes assets/models/vlm/, opened as `hf:assets/models/vlm`; scripts.demo.evaluate_vlm measures it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from transformers import FastVlmForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from csp.world.vlms.prompts import PROMPTS, Mode
from scripts.demo.data import TRAINING, renderer_fingerprint
from scripts.demo.training import MODELS, THREADS, Training
from scripts.demo.vlm_features import load_pool, load_seen
from scripts.demo.vlm_lessons import Lesson, Teacher, texts
from scripts.demo.vlm_model import fresh_model, processor, ship, with_eyes
from scripts.demo.vlm_tower import TowerPlan, train_tower

FOLDER = MODELS / "vlm"
TURNS: tuple[Mode, ...] = tuple(PROMPTS)
HARDER: tuple[Mode, ...] = ("contrastive", "contrastive", "contrastive", "activating-only")


@dataclass(frozen=True)
class Plan:
    """How to train the text model; an epoch is short, so that a stop costs little.

    A round goes on from the weights of the one before it, at the full rate again. Its modes take turns in the
    order given: the contrastive one, for which two pictures have to be compared, is the slower to learn.
    """

    rounds: tuple[tuple[Mode, ...], ...] = (*2 * (TURNS,), *3 * (HARDER,))
    epochs: int = 20  # a round
    steps: int = 80  # an epoch
    neurons: int = 64  # a step, all asked in the same mode
    rate: float = 2e-3
    decay: float = 0.05
    seed: int = 19


def train(model: FastVlmForConditionalGeneration, teacher: Teacher, plan: Plan, place: int) -> None:
    """Run the epochs that are left of the round in that place."""
    modes = plan.rounds[place]
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98))
    size = f"{plan.epochs}x{plan.steps}x{plan.neurons}"
    name = f"vlm-{renderer_fingerprint()}-{size}-{place}"
    training = Training(name, model, optimiser, plan.epochs * plan.steps)
    training.resume()
    for epoch in range(training.epoch, plan.epochs):
        start, losses = time.monotonic(), []
        rng = np.random.default_rng((plan.seed, place * plan.epochs + epoch))
        model.train()
        model.model.vision_tower.eval()
        for step in range(plan.steps):
            mode = modes[step % len(modes)]
            loss = loss_of(model, teacher.lesson(mode, plan.neurons, rng))
            training.step(loss)
            losses.append(loss.item())
        training.finish_epoch()
        print(
            f"round {place}, epoch {epoch}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s",
            flush=True,
        )


def loss_of(model: FastVlmForConditionalGeneration, lesson: Lesson) -> torch.Tensor:
    """Cross-entropy of the answers' tokens, given the tower's vectors instead of pixels."""
    tokens = model.model.multi_modal_projector(lesson.features)
    pictures = {"image": BaseModelOutputWithPooling(pooler_output=tokens)}
    answered = model(
        input_ids=lesson.ids,
        labels=lesson.targets,
        mm_encoder_outputs=pictures,
        logits_to_keep=lesson.targets.shape[1],
        use_cache=False,
    )
    loss: torch.Tensor = answered.loss
    return loss


def main() -> None:
    """Train, ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=Plan.epochs, help="of a round; fewer for a try")
    parser.add_argument("--threads", type=int, default=THREADS, help="1 is faster on a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    plan = Plan(epochs=options.epochs)
    eyes, tower = train_tower(TowerPlan(), TRAINING)
    words = processor(texts())
    teacher = Teacher(words, load_pool(TRAINING), load_seen(tower, eyes, TRAINING))
    torch.manual_seed(plan.seed)
    model = fresh_model(len(words.tokenizer))
    with_eyes(model, eyes)
    for place in range(len(plan.rounds)):
        train(model, teacher, plan, place)
    ship(FOLDER, model.eval(), words)


if __name__ == "__main__":
    main()
