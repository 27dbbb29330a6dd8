"""Real VLMs of several families with random weights, small enough to be made anew for a test."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPImageProcessor,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3ImageProcessor,
    Gemma3Processor,
    GotOcr2ImageProcessor,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessor,
    Idefics3Processor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.utils import logging as transformers_logging

START, END, PAD = "<start>", "<end>", "<pad>"
SIZE = 32
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 2048,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
TOWER = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIZE,
    "patch_size": 8,
}


def template(image: str) -> str:
    """A chat template in the manner of the family's own, with `image` for a picture."""
    return (
        "{{ '<start>' }}{% for message in messages %}{{ message['role'] + ': ' }}"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}{{ '" + image + "' }}{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ ' assistant:' }}{% endif %}"
    )


def tokenizer(special: Sequence[str] = (), **names: str) -> PreTrainedTokenizerFast:
    """Bytes as tokens, and the special ones after them; `names` are attributes such as `image_token`."""
    marks = [START, END, PAD, *special]
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: place for place, sign in enumerate([*marks, *signs])}
    plain = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens(marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=plain,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=names,
    )


def save_llava(folder: Path) -> Path:
    """LLaVA: a CLIP tower, a projector, a Llama."""
    words = tokenizer(["<image>"], image_token="<image>")
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "projection_dim": 16, **TOWER},
        text_config={"model_type": "llama", "vocab_size": len(words), **TEXT},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size=SIZE),
        tokenizer=words,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=template("<image>"),
    )
    return _save(folder, LlavaForConditionalGeneration(config), processor)


def save_idefics3(folder: Path) -> Path:
    """Idefics3, the family of SmolVLM: pictures are cut into tiles."""
    special = ["<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>"]
    special += [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    words = tokenizer(special)
    config = Idefics3Config(
        vision_config=TOWER,
        text_config={"model_type": "llama", "vocab_size": len(words), **TEXT},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    pictures = Idefics3ImageProcessor(size={"longest_edge": 2 * SIZE}, max_image_size={"longest_edge": SIZE})
    processor = Idefics3Processor(pictures, words, image_seq_len=4, chat_template=template("<image>"))
    return _save(folder, Idefics3ForConditionalGeneration(config), processor)


def save_qwen(folder: Path) -> Path:
    """Qwen2.5-VL: pictures of any size, positions in three dimensions."""
    special = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(special)
    ids = {
        name: words.convert_tokens_to_ids(token)
        for name, token in zip(
            ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id"),
            special,
            strict=True,
        )
    }
    config = Qwen2_5_VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "window_size": 32,
            "fullatt_block_indexes": [1],
        },
        text_config={
            "vocab_size": len(words),
            **TEXT,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0},
        },
        **ids,
    )
    sizes = {"patch_size": 8, "merge_size": 2, "min_pixels": 256, "max_pixels": 4096}
    image = "<|vision_start|><|image_pad|><|vision_end|>"
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(**sizes), words, Qwen2VLVideoProcessor(**sizes), chat_template=template(image)
    )
    return _save(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


def save_internvl(folder: Path) -> Path:
    """InternVL3: a ViT whose tokens are shuffled together, a Qwen2."""
    special = ["<img>", "</img>", "<IMG_CONTEXT>", "<video>"]
    words = tokenizer(
        special,
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    config = InternVLConfig(
        vision_config={**TOWER, "image_size": [SIZE, SIZE], "patch_size": [8, 8]},
        text_config={"model_type": "qwen2", "vocab_size": len(words), **TEXT},
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        downsample_ratio=0.5,
    )
    processor = InternVLProcessor(
        GotOcr2ImageProcessor(size={"height": SIZE, "width": SIZE}),
        words,
        InternVLVideoProcessor(size={"height": SIZE, "width": SIZE}),
        image_seq_length=4,
        chat_template=template("<IMG_CONTEXT>"),
    )
    return _save(folder, InternVLForConditionalGeneration(config), processor)


def save_gemma3(folder: Path) -> Path:
    """Gemma 3: a SigLIP tower whose tokens are averaged, a Gemma."""
    marks = {"boi_token": "<start_of_image>", "image_token": "<soft>", "eoi_token": "<end_of_image>"}
    words = tokenizer(list(marks.values()), **marks)
    config = Gemma3Config(
        vision_config=TOWER,
        text_config={"vocab_size": len(words), "head_dim": 16, "query_pre_attn_scalar": 16, **TEXT},
        mm_tokens_per_image=4,
        boi_token_index=words.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=words.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=words.convert_tokens_to_ids("<soft>"),
    )
    processor = Gemma3Processor(
        Gemma3ImageProcessor(size={"height": SIZE, "width": SIZE}),
        words,
        image_seq_length=4,
        chat_template=template("<start_of_image>"),
    )
    return _save(folder, Gemma3ForConditionalGeneration(config), processor)


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "llava": save_llava,
    "idefics3": save_idefics3,
    "qwen": save_qwen,
    "internvl": save_internvl,
    "gemma3": save_gemma3,
}


def _save(folder: Path, model: PreTrainedModel, processor: ProcessorMixin) -> Path:
    transformers_logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
