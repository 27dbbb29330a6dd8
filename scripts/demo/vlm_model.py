"""The demo's small VLM as a model: configuration, tokenizer, processor with chat template, folder to ship.

The class is transformers' FastVLM: a convolutional tower reads the picture, a projector turns its vectors
into tokens, a small Llama reads these with the prompt and answers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    FastVlmConfig,
    FastVlmForConditionalGeneration,
    LlamaConfig,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from scripts.demo.training import MEAN, STD
from scripts.demo.vlm_tower import ROWS, STRIDE, TILE, TowerWithHead, tower_config

PAD, START, END, IMAGE, PERSON, MACHINE = "<pad>", "<start>", "<end>", "<image>", "<person>", "<machine>"
SPECIAL = [PAD, START, END, IMAGE, PERSON, MACHINE]  # ids 0 to 5
TOKENS = 4_000
MOST_TOKENS = 1_024
PIXELS = ROWS * TILE
TEMPERATURE = 0.1

# Pictures are numbered: two grids of the same tokens differ by nothing else.
CHAT_TEMPLATE = (
    "{{ '<start>' }}{% set count = namespace(images=0) %}{% for message in messages %}"
    "{{ '<machine>' if message['role'] == 'assistant' else '<person>' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{% set count.images = count.images + 1 %}"
    "{{ 'picture ' ~ count.images ~ ':<image>' }}"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<end>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<machine>' }}{% endif %}"
)


def tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A lower-casing byte-pair encoder learned on the prompts and the concepts; any text encodes.

    It merges across spaces, so that a clause of a prompt or a whole concept is one token: the less to read,
    the less to compute.
    """
    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    clauses = pre_tokenizers.Split(Regex(r"[.,:;!?\n]"), "isolated")
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    learned.pre_tokenizer = pre_tokenizers.Sequence([clauses, whole])
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator([*texts, *texts], trainer)  # twice: a merge has to occur twice
    return PreTrainedTokenizerFast(
        tokenizer_object=learned,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        extra_special_tokens={"image_token": IMAGE},
        additional_special_tokens=[PERSON, MACHINE],
        model_max_length=MOST_TOKENS,
    )


def processor(texts: Sequence[str]) -> LlavaProcessor:
    """Any picture becomes 192 x 192 pixels and 36 tokens."""
    pictures = CLIPImageProcessor(
        size={"height": PIXELS, "width": PIXELS}, do_center_crop=False, image_mean=MEAN, image_std=STD
    )
    return LlavaProcessor(
        image_processor=pictures,
        tokenizer=tokenizer(texts),
        patch_size=STRIDE,
        vision_feature_select_strategy="full",
        image_token=IMAGE,
        chat_template=CHAT_TEMPLATE,
    )


def fresh_model(words: int) -> FastVlmForConditionalGeneration:
    """The whole model for `words` tokens, untrained."""
    text = LlamaConfig(
        vocab_size=words,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=MOST_TOKENS,
        pad_token_id=SPECIAL.index(PAD),
        bos_token_id=SPECIAL.index(START),
        eos_token_id=SPECIAL.index(END),
        tie_word_embeddings=True,
    )
    config = FastVlmConfig(
        vision_config=tower_config(),
        text_config=text,
        image_token_index=SPECIAL.index(IMAGE),
        image_seq_length=(PIXELS // STRIDE) ** 2,
        tie_word_embeddings=True,
    )
    return FastVlmForConditionalGeneration(config)


def with_eyes(model: FastVlmForConditionalGeneration, eyes: TowerWithHead) -> None:
    """Put the trained tower in, frozen; the projector starts with the attributes that its head reads."""
    model.model.vision_tower.load_state_dict(eyes.tower.state_dict())
    model.model.vision_tower.requires_grad_(False)
    first = model.model.multi_modal_projector.linear_1
    with torch.no_grad():
        first.weight[: len(eyes.head.weight)] = eyes.head.weight
        first.bias[: len(eyes.head.bias)] = eyes.head.bias


def ship(folder: Path, model: FastVlmForConditionalGeneration, words: LlavaProcessor) -> None:
    """Write the folder that `AutoModelForImageTextToText` and `AutoProcessor` open.

    The weights are kept in 16 bit and used in 32: few processors add 16-bit floats quickly.
    """
    words.save_pretrained(folder)
    model.generation_config.do_sample = True
    model.generation_config.temperature = TEMPERATURE
    copy.deepcopy(model).half().save_pretrained(folder)
    model.config.dtype = torch.float32
    model.config.save_pretrained(folder)
