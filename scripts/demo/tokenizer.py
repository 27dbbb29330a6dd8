"""The small CLIP's own tokenizer: byte-level, so that any text encodes, and learned on its captions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from csp.world.dermoscopy.attributes import sample_case
from csp.world.dermoscopy.captions import caption
from csp.world.dermoscopy.terms import vocabulary
from csp.world.protocols.templates import TEMPLATES

PAD, START, END = "<pad>", "<start>", "<end>"  # ids 0, 1, 2
CAPTIONS = 20_000


def corpus(seed: int) -> Iterator[str]:
    """Captions of training cases, and every vocabulary term in every template."""
    rng = np.random.default_rng(seed)
    yield from (caption(sample_case(i), rng) for i in range(CAPTIONS))
    for term in vocabulary():
        yield from (template.format(term.text) for template in TEMPLATES)


def learned(seed: int, size: int) -> Tokenizer:
    """A lower-casing byte-pair encoder of `size` tokens that adds start and end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(seed), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, 1), (END, 2)]
    )
    return tokenizer


def write_tokenizer(folder: Path, seed: int, size: int, context: int) -> None:
    """Write tokenizer.json and tokenizer_config.json, as `open_clip.get_tokenizer` reads them."""
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=learned(seed, size),
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        model_max_length=context,
    )
    wrapped.save_pretrained(folder)
