"""Every spec in `examples/` opens: a stand-in has what is published, own files are made in place."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
import torchvision
import yaml
from open_clip import factory
from safetensors.torch import save_file

from csp.world.protocols.encoder import open_encoder
from csp.world.protocols.generator import open_generator
from csp.world.protocols.target import open_target
from csp.world.protocols.vlm import open_vlm
from csp.world.specs.paths import anchored_spec
from tests.world import hub, tiny_vlm
from tests.world.tiny_pipeline import save_pipeline

REPOSITORY = Path(__file__).parents[2]
OPENERS: dict[str, Any] = {
    "model": open_target,
    "encoder": open_encoder,
    "simulator": open_encoder,
    "generator": open_generator,
    "vlm": open_vlm,
}
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}


def specs() -> Iterator[tuple[str, str, str]]:
    """File, kind and spec of all that the examples name to open, those in comments too."""
    for file in sorted((REPOSITORY / "examples").glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        fields = yaml.safe_load(text)
        yield from ((file.name, kind, fields[kind]) for kind in OPENERS if kind in fields)
        yield from ((file.name, "vlm", found) for found in dict.fromkeys(re.findall(r"--vlm (\S+)", text)))
        for line in re.findall(r"^encoder: .*# or (.*)$", text, re.M):
            assert line == "openclip:ARCH/PRETRAINED, openclip:hf-hub:OWNER/NAME, hf:ID", line


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the examples leave to the reader, and a hub with all that is published."""
    torch.manual_seed(0)
    monkeypatch.chdir(tmp_path)
    hub.use(monkeypatch, tmp_path / "hub")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


def hub_clip(tiny_models: Path, folder: Path) -> Path:
    """An OpenCLIP model as the hub has it: texts are split by OpenCLIP itself."""
    (folder / "published").mkdir()
    copy = shutil.copytree(tiny_models / "openclip", folder / "published" / "clip")
    config = {"model_cfg": TINY, "preprocess_cfg": {}}
    (copy / "open_clip_config.json").write_text(json.dumps(config))
    return save_weights(open_clip.create_model(f"local-dir:{copy}", load_weights=False), copy)


def save_weights(model: torch.nn.Module, folder: Path) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def provide(spec: str, kind: str, folder: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the spec needs and a test lacks."""
    scheme, _, name = spec.partition(":")
    architecture, _, path = name.partition("@")
    if scheme == "torchvision":
        module = torchvision.models.get_model(architecture)
        weights = torchvision.models.get_model_weights(architecture).DEFAULT
        file = folder / (path or f"torch/hub/checkpoints/{weights.url.rpartition('/')[2]}")
        file.parent.mkdir(parents=True)
        (save_file if path else torch.save)(module.state_dict(), file)
    elif name.startswith("local-dir:"):
        shutil.copytree(tiny_models / "openclip", folder / name.removeprefix("local-dir:"))
    elif name.startswith("hf-hub:"):
        hub.put(folder / "hub", name.removeprefix("hf-hub:"), hub_clip(tiny_models, folder))
    elif scheme == "openclip":
        architecture, tag = name.split("/")
        monkeypatch.setitem(factory._MODEL_CONFIGS, architecture, TINY)
        made = save_weights(open_clip.create_model(architecture), folder / "published" / "tag")
        repository = open_clip.get_pretrained_cfg(architecture, tag)["hf_hub"].rstrip("/")
        hub.put(folder / "hub", repository, made)
    elif scheme == "hf":
        save = tiny_vlm.save_internvl if kind == "vlm" else save_pipeline
        hub.put(folder / "hub", name, save(folder / "published" / kind))


@pytest.mark.parametrize(("file", "kind", "spec"), list(specs()))
def test_the_specs_of_the_examples_open(
    stand_in: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch, file: str, kind: str, spec: str
) -> None:
    spec = anchored_spec(spec, REPOSITORY / "examples")
    if str(REPOSITORY) not in spec:  # what the program ships is there
        provide(spec, kind, stand_in, tiny_models, monkeypatch)
    opened = OPENERS[kind](spec)
    assert opened.spec == spec
    assert not any("says of" in note for note in getattr(opened, "notes", ()))
