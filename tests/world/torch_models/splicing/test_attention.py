"""Attention heads as layers, in models of every library: read, held, and gone when nobody looks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer
from transformers import CLIPVisionConfig, CLIPVisionModel, ViTConfig, ViTForImageClassification

from csp.world.protocols.target import open_target
from csp.world.torch_models.layers import weights_hash
from csp.world.torch_models.target import TorchTarget
from tests.world.tiny import save_open_clip

SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}
THREE: dict[str, Any] = {"num_classes": 3}
MODELS: dict[str, tuple[Any, str, str]] = {
    "transformers": (
        lambda: ViTForImageClassification(ViTConfig(**SMALL, num_labels=3)),
        "vit.layers.1.attention",
        "o_proj",
    ),
    "clip": (lambda: CLIPVisionModel(CLIPVisionConfig(**SMALL)), "encoder.layers.1.self_attn", "out_proj"),
    "timm": (
        lambda: timm.create_model(
            "vit_tiny_patch16_224",
            img_size=32,
            patch_size=8,
            embed_dim=16,
            depth=2,
            num_heads=2,
            num_classes=3,
        ),
        "blocks.1.attn",
        "proj",
    ),
    "torchvision": (
        lambda: VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3),
        "encoder.layers.encoder_layer_1.self_attention",
        "out_proj",
    ),
}
CLASSES = ("a", "b", "c")
BATCH = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)).numpy()


def target_of(module: nn.Module, pooling: str = "cls") -> TorchTarget:
    return TorchTarget(
        spec="", name="", classes=CLASSES, weights_hash="", input_size=(32, 32), module=module,
        transform=lambda image: np.asarray(image), pooling=pooling,
    )  # fmt: skip


def made(kind: str) -> tuple[nn.Module, str, str]:
    torch.manual_seed(0)
    build, name, out = MODELS[kind]
    module = build().eval()
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.2)
    return module, name, out


@pytest.mark.parametrize("kind", MODELS)
def test_heads_are_what_the_output_projection_reads(kind: str) -> None:
    module, name, out = made(kind)
    hashed, given = weights_hash(module), list[Tensor]()
    projection = module.get_submodule(f"{name}.{out}")
    target = target_of(module)
    known = {one.layer: one.shape for one in target.layers()}
    assert (known[f"{name}.heads"], known[f"{name}.head_norms"]) == ((17, 16), (17, 2))
    assert weights_hash(module) == hashed
    hook = projection.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    target = TorchTarget(**{**vars(target), "classes": ()})
    found = target.run(BATCH, [f"{name}.heads", f"{name}.head_norms"]).activations
    hook.remove()
    np.testing.assert_allclose(found[f"{name}.heads"], given[-1][:, 0], atol=1e-5)
    norms = given[-1][:, 0].unflatten(-1, (2, 8)).norm(dim=-1)
    np.testing.assert_allclose(found[f"{name}.head_norms"], norms, atol=1e-5)
    assert target.maps(BATCH, f"{name}.head_norms", [0]).shape == (3, 1, 4, 4)


@pytest.mark.parametrize("kind", ["transformers", "timm", "torchvision"])
def test_looking_changes_nothing_and_holding_does(kind: str) -> None:
    module, name, _ = made(kind)
    target = target_of(module)
    plain = target.run(BATCH, []).probabilities
    looked = target.run(BATCH, [f"{name}.head_norms", f"{name}.heads"]).probabilities
    np.testing.assert_allclose(looked, plain, atol=1e-5)
    off = np.zeros((3, 8), np.float32)
    by_dimension = target.held(BATCH, {f"{name}.heads": (range(8), off)})
    by_norm = target.held(BATCH, {f"{name}.head_norms": ([0], off[:, :1])})
    np.testing.assert_allclose(by_norm, by_dimension, atol=1e-5)
    assert np.abs(by_norm - plain).max() > 1e-4
    assert np.isfinite(target.contributions(BATCH, f"{name}.heads").values).all()


def test_the_tower_of_openclip_has_them(tmp_path: Path) -> None:
    save_open_clip(tmp_path / "clip")
    target = open_target(f"openclip:local-dir:{tmp_path / 'clip'}")
    known = [one.layer for one in target.layers()]
    assert "transformer.resblocks.0.attn.heads" in known
    assert "transformer.resblocks.0.mlp.gelu" in known, "hidden units of the MLP"
    assert "transformer.resblocks.0" in known, "the residual stream"


@pytest.mark.parametrize("mask", [None, "bool", "float"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_of_torch_in_steps_is_that_in_one(batch_first: bool, mask: str | None) -> None:
    torch.manual_seed(0)
    part = nn.MultiheadAttention(8, 2, batch_first=batch_first).eval()
    tokens = torch.rand(2, 5, 8) if batch_first else torch.rand(5, 2, 8)
    hidden = torch.ones(5, 5).triu(1).bool()
    masks = {"bool": hidden, "float": torch.zeros(5, 5).masked_fill(hidden, -torch.inf)}
    expected = part(tokens, tokens, tokens, attn_mask=masks.get(mask or ""))
    target_of(part)
    handle = part.heads.register_forward_hook(lambda *_: None)  # type: ignore[operator, union-attr]
    found = part(tokens, tokens, tokens, attn_mask=masks.get(mask or ""))
    handle.remove()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
