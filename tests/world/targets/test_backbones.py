"""Models of pictures without a head: they have neurons and no classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    ConvNextConfig,
    ConvNextImageProcessor,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from csp.errors import BadInputError
from csp.world.protocols.target import open_target
from tests.world.tiny import pictures

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}
MODELS = {
    "vit": lambda: ViTModel(ViTConfig(**SMALL)),
    "dinov2": lambda: Dinov2Model(Dinov2Config(**SMALL)),
    "convnext": lambda: ConvNextModel(ConvNextConfig(hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])),
    "clip_vision": lambda: CLIPVisionModel(CLIPVisionConfig(**SMALL)),
}


def saved(folder: Path, kind: str) -> tuple[Path, PreTrainedModel]:
    torch.manual_seed(0)
    model = MODELS[kind]().eval()
    model.save_pretrained(folder)
    processor = (
        ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=1.0)
        if kind == "convnext"
        else ViTImageProcessor(size={"height": 32, "width": 32})
    )
    processor.save_pretrained(folder)
    return folder, model


@pytest.mark.parametrize("kind", MODELS)
@torch.inference_mode()
def test_a_model_without_a_head_has_neurons_and_no_classes(tmp_path: Path, kind: str) -> None:
    folder, model = saved(tmp_path / kind, kind)
    target = open_target(f"hf:{folder}")
    assert target.classes == ()
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    expected = model(torch.tensor(batch), output_hidden_states=True).hidden_states[-1]
    layers = [info.layer for info in target.layers()]
    found = target.run(batch, layers)
    assert found.probabilities is None
    means = expected.mean((2, 3)) if expected.ndim == 4 else expected.mean(1)
    assert any(
        values.shape == means.shape and np.allclose(values, means, atol=1e-5)
        for values in found.activations.values()
    ), "none of the layers is the last hidden state"


@pytest.mark.parametrize("kind", ["clip", "siglip"])
@torch.inference_mode()
def test_a_dual_encoder_is_read_by_its_image_tower(tiny_models: Path, kind: str) -> None:
    target = open_target(f"hf:{tiny_models / kind}")
    assert target.classes == ()
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    layers = [info.layer for info in target.layers()]
    assert not any("text" in layer for layer in layers)
    assert target.run(batch, layers).probabilities is None


@torch.inference_mode()
def test_the_image_tower_of_openclip(tiny_models: Path) -> None:
    from csp.world.protocols.encoder import open_encoder

    spec = f"openclip:local-dir:{tiny_models / 'openclip'}"
    target = open_target(spec)
    assert target.spec == spec
    assert target.classes == ()
    assert target.name.endswith("image tower")
    images = pictures(3)
    batch = np.stack([target.preprocess(image) for image in images])
    layer = target.layers()[-1].layer
    found = target.run(batch, [layer])
    assert found.probabilities is None
    assert found.activations[layer].shape[0] == 3
    encoder = open_encoder(spec)
    assert np.array_equal(batch, np.stack([encoder.preprocess(image) for image in images]))
    assert encoder.weights_hash != target.weights_hash, "the tower alone is hashed"


def test_a_model_of_texts_is_refused(tmp_path: Path) -> None:
    BertModel(
        BertConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=30
        )
    ).save_pretrained(tmp_path)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    with pytest.raises(BadInputError, match="no pictures"):
        open_target(f"hf:{tmp_path}")
