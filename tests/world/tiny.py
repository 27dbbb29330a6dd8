"""Real models, small enough to be made anew for the tests, saved in the formats that people have."""

import json
from pathlib import Path

import numpy as np
import torch
from open_clip.factory import create_model
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    ConvNextImageProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ResNetConfig,
    ResNetForImageClassification,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

# Threads cost such models more than they give.
torch.set_num_threads(1)

WORDS = ("a", "an", "of", "photo", "image", "mole", "ruler", "blue", "white", "veil", "red", "hair")
CLASSES = {0: "melanoma", 1: "nevus", 2: "keratosis"}


def pictures(count: int, width: int = 40, height: int = 36) -> list[Image.Image]:
    """Noise, each with its own seed."""
    return [
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))
        for seed in range(count)
    ]


def save_classifier(folder: Path, kind: str) -> Path:
    """A transformers image classifier (`vit`, `swin`, `resnet`) with its processor."""
    torch.manual_seed(0)
    size = {"height": 32, "width": 32}
    model: PreTrainedModel
    if kind == "vit":
        model = ViTForImageClassification(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=32,
                patch_size=8,
                id2label=CLASSES,
            )
        )
    elif kind == "swin":
        model = SwinForImageClassification(
            SwinConfig(
                image_size=32,
                patch_size=4,
                embed_dim=8,
                depths=[1, 1],
                num_heads=[2, 2],
                window_size=4,
                id2label=CLASSES,
            )
        )
    else:
        model = ResNetForImageClassification(
            ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], id2label=CLASSES)
        )
    model.save_pretrained(folder)
    processor = (
        ConvNextImageProcessor(size={"shortest_edge": 32})
        if kind == "resnet"
        else ViTImageProcessor(size=size)
    )
    processor.save_pretrained(folder)
    return folder


def tokenizer() -> PreTrainedTokenizerFast:
    """Whole words, with the marks that CLIP puts around a text."""
    vocabulary = {word: index for index, word in enumerate(("<pad>", "<s>", "<unk>", *WORDS, "</s>"))}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", vocabulary["</s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )


def save_dual_encoder(folder: Path, kind: str) -> Path:
    """A transformers dual encoder (`clip`, `siglip`) with its image processor and tokenizer."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    marks = {"bos_token_id": 1, "eos_token_id": len(WORDS) + 3, "pad_token_id": 0}
    text = {**tower, **marks, "vocab_size": len(WORDS) + 4, "max_position_embeddings": 12}
    vision = {**tower, "image_size": 32, "patch_size": 8}
    size = {"height": 32, "width": 32}
    if kind == "clip":
        CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).save_pretrained(
            folder
        )
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder)
    else:
        SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
        SiglipImageProcessor(size=size).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def save_open_clip(folder: Path, seed: int = 0) -> Path:
    """An OpenCLIP folder: configuration, weights and tokenizer."""
    text = {
        "context_length": 12,
        "vocab_size": len(WORDS) + 4,
        "hf_tokenizer_name": ".",
        "width": 16,
        "heads": 2,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": len(WORDS) + 3,
    }
    vision = {"image_size": 32, "patch_size": 8, "width": 16, "layers": 2, "head_width": 8}
    model = {"embed_dim": 12, "vision_cfg": vision, "text_cfg": text}
    folder.mkdir(parents=True)
    preprocess = {"size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "resize_mode": "shortest"}
    config = {"model_cfg": model, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    tokenizer().save_pretrained(folder)
    torch.manual_seed(seed)
    weights = create_model(f"local-dir:{folder}").state_dict()
    save_file(
        {name: tensor.contiguous() for name, tensor in weights.items()},
        folder / "open_clip_model.safetensors",
    )
    return folder
