"""Lessons for the demo's small VLM: the app's prompts, grids of made-up neurons, and the true answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Float16, Int, Int64
from torch import Tensor
from transformers import LlavaProcessor

from csp.world.dermoscopy.attributes import ATTRIBUTES
from csp.world.dermoscopy.terms import names
from csp.world.vlms.prompts import GRIDS, PROMPTS, SLOT, Mode, message_parts
from scripts.demo.vlm_features import grids_of
from scripts.demo.vlm_model import END
from scripts.demo.vlm_neurons import MadeUpNeuron, Pool, best_concepts, made_up, rates

NOT_ASKED = -100  # what PyTorch's cross-entropy leaves out
CONCEPTS = tuple(names(attribute)[0] for attribute in ATTRIBUTES)


@dataclass(frozen=True, eq=False)
class Lesson:
    """A batch in one mode: token ids, the answers' tokens, and the tower's vectors of the pictures."""

    ids: Int[Tensor, "b t"]
    targets: Int[Tensor, "b u"]  # of the last u positions
    features: Float[Tensor, "p v d"]


class Teacher:
    """Makes lessons from a pool of images and what the tower saw in them."""

    modes: tuple[Mode, ...] = tuple(PROMPTS)

    def __init__(self, words: LlavaProcessor, pool: Pool, seen: Float16[np.ndarray, "s n v d"]) -> None:
        self.words, self.pool, self.seen = words, pool, seen
        vectors = 9 * seen.shape[2]
        self.questions = {mode: self._encoded(question(words, mode, vectors)) for mode in self.modes}

    def lesson(self, mode: Mode, count: int, rng: np.random.Generator) -> Lesson:
        """`count` neurons, made up anew."""
        neurons = list(islice(made_up(self.pool, rng), count))
        pictures = np.concatenate([grids(neuron, mode) for neuron in neurons])
        answers = [self._encoded(answer(self.pool, neuron, mode, rng) + END) for neuron in neurons]
        ids, targets = laid_out(self.questions[mode], answers, self.words.tokenizer.pad_token_id)
        return Lesson(ids, targets, grids_of(self.seen, pictures, rng))

    def _encoded(self, text: str) -> list[int]:
        return list(self.words.tokenizer.encode(text, add_special_tokens=False))


def texts() -> list[str]:
    """The texts that the model has to read and to write."""
    asked = [prompt.replace(SLOT, "").strip() for prompt in PROMPTS.values()]
    return [*asked, *(f"picture {number}:" for number in (1, 2)), *CONCEPTS, "\n"]


def grids(neuron: MadeUpNeuron, mode: Mode) -> Int64[np.ndarray, "p 9"]:
    """The pictures that a mode shows: the activating grid, and in contrastive mode its twin."""
    both = np.stack([neuron.activating, neuron.contrastive])
    return both[: GRIDS[mode]]


def question(words: LlavaProcessor, mode: Mode, vectors: int) -> str:
    """What the model reads before it answers, each picture as `vectors` tokens."""
    message = {"role": "user", "content": message_parts(PROMPTS[mode], GRIDS[mode])}
    text = str(words.apply_chat_template([message], add_generation_prompt=True))
    token = str(words.image_token)
    return text.replace(token, token * vectors)


def answer(pool: Pool, neuron: MadeUpNeuron, mode: Mode, rng: np.random.Generator) -> str:
    """Three concepts, one a line: most common in the first grid, in contrastive mode less in the second."""
    evidence = rates(pool.shown[neuron.activating])
    if mode == "contrastive":
        evidence = evidence - rates(pool.shown[neuron.contrastive])
    best = best_concepts(evidence, rng)
    return "\n".join(CONCEPTS[concept] for concept in best)


def laid_out(
    question: Sequence[int], answers: Sequence[Sequence[int]], pad: int
) -> tuple[Int[Tensor, "b t"], Int[Tensor, "b u"]]:
    """Question and answer, padded at the end; the targets start at the question's last token."""
    longest = max(map(len, answers))
    ids = torch.tensor([[*question, *text, *[pad] * (longest - len(text))] for text in answers])
    targets = ids[:, len(question) - 1 :].clone()
    targets[:, 0] = NOT_ASKED
    for row, text in enumerate(answers):
        targets[row, 1 + len(text) :] = NOT_ASKED
    return ids, targets
