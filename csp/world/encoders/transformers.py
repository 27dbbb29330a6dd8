"""Encoders of transformers: `hf:ID-or-folder`, of the CLIP and SigLIP families."""

from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from csp.errors import BadInputError
from csp.world.torch_models.encoder import TorchEncoder
from csp.world.torch_models.hugging_face import (
    image_transform,
    load,
    load_image_processor,
    load_noted,
    load_tokenizer,
)
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.library_warnings import heard
from csp.world.torch_models.model_names import model_name

# SigLIP 2 of one resolution is stored as `siglip`; that of any resolution (`siglip2`) takes patches instead.
FAMILIES = ("clip", "siglip", "metaclip_2")


def open_encoder(name: str) -> TorchEncoder:
    """Open a dual encoder with its own preprocessing and tokenizer.

    Raises `BadInputError` for a model that is not CLIP-like, `UnavailableError` where the hub has none.
    """
    with heard() as said:
        config = load(name, AutoConfig.from_pretrained)
        if config.model_type not in FAMILIES:
            raise BadInputError(
                f"'{name}' is a '{config.model_type}' model, no dual encoder ({', '.join(FAMILIES)})."
            )
        model, notes = load_noted(name, AutoModel.from_pretrained, dtype=torch.float32)
        transform, _ = image_transform(name, load_image_processor(name))
        tokenizer = load_tokenizer(name)
    model.to(device())
    # SigLIP was trained on texts padded to full length; for CLIP the padding is masked
    length = config.text_config.max_position_embeddings

    def text_features(prompts: list[str]) -> Tensor:
        tokens = tokenizer(
            prompts, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        return _features(model.get_text_features(**tokens.to(device())))

    with torch.inference_mode():
        dimension = text_features([""]).shape[-1]
    return TorchEncoder(
        spec=f"hf:{name}",
        name=model_name(name),
        weights_hash=weights_hash(model),
        dimension=dimension,
        transform=transform,
        image_features=lambda batch: _features(model.get_image_features(pixel_values=batch.to(device()))),
        text_features=text_features,
        notes=(*notes, *(f"transformers says of the encoder: {text}" for text in said)),
    )


def _features(output: Any) -> Tensor:
    """Since transformers 5 the features come inside a model output."""
    return output if isinstance(output, Tensor) else output.pooler_output  # type: ignore[no-any-return]
