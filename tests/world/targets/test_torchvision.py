import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import models
from torchvision.transforms import functional

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.protocols.target import open_target
from tests.world.tiny import pictures

METADATA = {
    "classes": json.dumps(["melanoma", "nevus", "other"]),
    "input_size": "64",
    "mean": json.dumps([0.6, 0.5, 0.4]),
    "std": json.dumps([0.2, 0.3, 0.4]),
}


def small(classes: int, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return models.mobilenet_v3_small(num_classes=classes).eval()


def saved(path: Path, module: torch.nn.Module, metadata: dict[str, str] | None = None) -> str:
    save_file(module.state_dict(), path, metadata)
    return f"torchvision:mobilenet_v3_small@{path}"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("weights") / "own.safetensors", small(3), METADATA)


def test_activations_and_probabilities_equal_a_direct_pass(checkpoint: str) -> None:
    target = open_target(checkpoint)
    batch = np.stack([target.preprocess(image) for image in pictures(4)])
    found = target.run(batch, ["features", "classifier.0"])
    module = small(3)
    with torch.inference_mode():
        maps = module.features(torch.tensor(batch))
        logits = module(torch.tensor(batch))
    assert np.allclose(found.activations["features"], maps.mean((2, 3)), atol=1e-5)
    assert np.allclose(
        found.activations["classifier.0"], module.classifier[0](maps.mean((2, 3))).detach(), atol=1e-5
    )
    assert np.allclose(found.probabilities, logits.softmax(1), atol=1e-6)
    assert found.probabilities.dtype == np.float32


def test_metadata_says_classes_size_and_normalisation(checkpoint: str) -> None:
    target = open_target(checkpoint)
    assert target.classes == ("melanoma", "nevus", "other")
    assert target.input_size == (64, 64)
    assert target.spec == checkpoint
    assert target.name == "mobilenet_v3_small (own)"
    image = Image.new("RGB", (100, 80), (255, 0, 51))
    expected = (np.array([1, 0, 0.2]) - [0.6, 0.5, 0.4]) / [0.2, 0.3, 0.4]
    prepared = target.preprocess(image)
    assert prepared.shape == (3, 64, 64)
    assert prepared.dtype == np.float32
    assert np.allclose(prepared, expected[:, None, None], atol=1e-5)


def test_images_are_scaled_on_the_short_side_and_cut_in_the_middle(checkpoint: str) -> None:
    target = open_target(checkpoint)
    image = pictures(1, 96, 80)[0]
    scaled = functional.pil_to_tensor(functional.resize(image, 64, antialias=True)).numpy() / 255
    left = (scaled.shape[2] - 64) // 2
    expected = scaled[:, :, left : left + 64]
    found = (
        target.preprocess(image) * np.array([0.2, 0.3, 0.4])[:, None, None]
        + np.array([0.6, 0.5, 0.4])[:, None, None]
    )
    assert np.abs(found - expected).max() < 0.01


@pytest.mark.parametrize("size", [(100, 1), (1, 100), (1, 1), (3, 50), (50, 3)])
def test_thin_images_are_preprocessed(checkpoint: str, size: tuple[int, int]) -> None:
    prepared = open_target(checkpoint).preprocess(Image.new("RGB", size, "white"))
    assert prepared.shape == (3, 64, 64)
    assert np.isfinite(prepared).all()


def test_without_metadata_torchvisions_own_is_used(tmp_path: Path) -> None:
    target = open_target(saved(tmp_path / "plain.safetensors", small(2)))
    assert target.input_size == (224, 224)
    assert target.classes == ("class 0", "class 1")
    thousand = open_target(saved(tmp_path / "full.safetensors", small(1000)))
    assert thousand.classes[:2] == ("tench", "goldfish")
    white = thousand.preprocess(Image.new("RGB", (300, 300), "white"))[:, 0, 0]
    assert np.allclose(white, (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], atol=1e-5)


@pytest.mark.parametrize("names", [["melanoma"], ["not melanoma", "melanoma"]])
def test_a_single_logit_becomes_two_classes(tmp_path: Path, names: list[str]) -> None:
    target = open_target(saved(tmp_path / "one.safetensors", small(1), {"classes": json.dumps(names)}))
    assert target.classes == ("not melanoma", "melanoma")
    batch = np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype(np.float32)
    found = target.run(batch, [])
    with torch.inference_mode():
        positive = small(1)(torch.tensor(batch)).sigmoid()[:, 0]
    assert np.allclose(found.probabilities, np.stack([1 - positive, positive], 1), atol=1e-6)


def nothing(state: dict[str, Any]) -> Any:
    return state


@pytest.mark.parametrize(
    "wrap",
    [
        nothing,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {f"module.{key}": value for key, value in state.items()}},
    ],
)
def test_pt_files_as_training_programs_write_them(tmp_path: Path, wrap: Any, checkpoint: str) -> None:
    torch.save(wrap(small(3).state_dict()), tmp_path / "own.pt")
    target = open_target(f"torchvision:mobilenet_v3_small@{tmp_path / 'own.pt'}")
    assert target.weights_hash == open_target(checkpoint).weights_hash


def test_half_precision_weights_run_in_single(tmp_path: Path) -> None:
    halves = {
        key: value.half() if value.is_floating_point() else value
        for key, value in small(3).state_dict().items()
    }
    save_file(halves, tmp_path / "half.safetensors", METADATA)
    target = open_target(f"torchvision:mobilenet_v3_small@{tmp_path / 'half.safetensors'}")
    module = small(3)
    module.load_state_dict(halves)
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    with torch.inference_mode():
        expected = module(torch.tensor(batch)).softmax(1)
    assert np.allclose(target.run(batch, []).probabilities, expected, atol=1e-6)


def test_a_vision_transformer_of_another_input_size(tmp_path: Path) -> None:
    with torch.device("meta"):  # shapes only: random numbers for so many weights take long
        shapes = models.vit_b_32(num_classes=2, image_size=64).state_dict()
    state = {name: torch.zeros(tensor.shape, dtype=torch.half) for name, tensor in shapes.items()}
    state["heads.head.bias"] += torch.tensor([0, 1])
    save_file(state, tmp_path / "vit.safetensors", {"input_size": "[64, 64]"})
    target = open_target(f"torchvision:vit_b_32@{tmp_path / 'vit.safetensors'}", pooling="cls")
    assert target.input_size == (64, 64)
    found = target.run(np.zeros((2, 3, 64, 64), np.float32), ["encoder.ln"])
    assert found.activations["encoder.ln"].shape == (2, 768)
    assert np.allclose(found.probabilities, torch.tensor([0.0, 1.0]).softmax(0), atol=1e-6)


@pytest.mark.parametrize(
    ("spec", "kind", "reason"),
    [
        ("torchvison:resnet18", BadInputError, "nearest: torchvision"),
        ("torchvision:resnet19", BadInputError, r"no classifier 'resnet19' \(nearest: resnet18"),
        ("torchvision:fcn_resnet50", BadInputError, "no classifier 'fcn_resnet50'"),
        ("torchvision:resnet18@", BadInputError, "no checkpoint after '@'"),
        (
            "torchvision:resnet18@/no/such.safetensors",
            NotFoundError,
            "no checkpoint file '/no/such.safetensors'",
        ),
    ],
)
def test_specs_that_name_nothing(spec: str, kind: type[CspError], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        open_target(spec)


def test_a_pooling_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadInputError, match="'median' can't be read: write mean, max, patch, cls"):
        open_target("torchvision:resnet18", pooling="median")


def test_a_checkpoint_of_another_architecture_names_the_first_keys(checkpoint: str) -> None:
    path = checkpoint.partition("@")[2]
    with pytest.raises(
        BadInputError, match=r"not one of torchvision's resnet18: it lacks 'conv1.weight'.* and \d+ more"
    ):
        open_target(f"torchvision:resnet18@{path}")


def test_weights_of_other_shapes_are_named(tmp_path: Path) -> None:
    state = small(3).state_dict()
    state["features.0.0.weight"] = torch.zeros(16, 4, 3, 3)
    save_file(state, tmp_path / "wide.safetensors")
    with pytest.raises(
        BadInputError, match=r"has 'features.0.0.weight' as \(16, 4, 3, 3\) instead of \(16, 3, 3, 3\)"
    ):
        open_target(f"torchvision:mobilenet_v3_small@{tmp_path / 'wide.safetensors'}")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save(small(3), tmp_path / "module.pt")
    with ZipFile(tmp_path / "script.pt", "w") as archive:  # how TorchScript lays out a model with its code
        archive.writestr("script/data.pkl", b"")
        archive.writestr("script/constants.pkl", b"")
    words = {"module.pt": "would run code when read: save only", "script.pt": "whole model and no state dict"}
    for name, match in words.items():
        with pytest.raises(BadInputError, match=match):
            open_target(f"torchvision:mobilenet_v3_small@{tmp_path / name}")


@pytest.mark.parametrize("name", ["cut.safetensors", "text.safetensors", "cut.pt", "text.pt", "empty.pt"])
def test_damaged_files_are_refused(tmp_path: Path, checkpoint: str, name: str) -> None:
    torch.save(small(3).state_dict(), tmp_path / "whole.pt")
    whole = {".safetensors": Path(checkpoint.partition("@")[2]), ".pt": tmp_path / "whole.pt"}
    content = {
        "cut": whole[Path(name).suffix].read_bytes()[:100_000],
        "text": b"weights, honestly",
        "empty": b"",
    }
    (tmp_path / name).write_bytes(content[Path(name).stem])
    with pytest.raises(BadInputError, match=r"(is damaged|neither by torch.save)"):
        open_target(f"torchvision:mobilenet_v3_small@{tmp_path / name}")


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "list.pt")
    with pytest.raises(BadInputError, match="is no state dict"):
        open_target(f"torchvision:mobilenet_v3_small@{tmp_path / 'list.pt'}")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"classes": '["a", "b"]'}, "not a list of 3 names"),
        ({"classes": "melanoma, nevus"}, "'classes' of checkpoint .* is not JSON"),
        ({"input_size": "[64]"}, "'input_size'"),
        ({"input_size": "0"}, "'input_size'"),
        ({"mean": "0.5"}, "not three numbers"),
        ({"std": "[1, 2, null]"}, "not three numbers"),
    ],
)
def test_metadata_that_means_nothing_is_refused(
    tmp_path: Path, metadata: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadInputError, match=reason):
        open_target(saved(tmp_path / "own.safetensors", small(3), metadata))


def test_published_weights_without_network_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(UnavailableError, match="published weights of resnet18 can't be downloaded"):
        open_target("torchvision:resnet18")


# fmt: off
FAMILIES = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet",
    "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_large", "regnet_x_400mf",
    "regnet_y_400mf", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1",
    "swin_t", "swin_v2_t", "vgg11_bn", "vit_b_32", "wide_resnet50_2",
)
# fmt: on


# fmt: off
SMALL = (
    "densenet121", "efficientnet_b0", "mnasnet0_5", "mobilenet_v2", "regnet_y_400mf", "resnet18",
    "shufflenet_v2_x0_5", "squeezenet1_1",
)
# fmt: on


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_head_is_found_in_every_family_of_torchvision(architecture: str) -> None:
    from csp.world.targets.torchvision import _ARGUMENTS
    from csp.world.torch_models.fit import _logits, _outline, _shapes

    def build(classes: int) -> torch.nn.Module:
        return models.get_model(architecture, num_classes=classes, **_ARGUMENTS.get(architecture, {}))

    own, head = _shapes(build)
    assert _logits(_outline(build, 7).state_dict(), own, head) == 7


def replaced(architecture: str) -> torch.nn.Module:
    """As courses on transfer learning replace a head: by dropout and a linear layer."""
    torch.manual_seed(0)
    module = models.get_model(architecture, num_classes=5)
    name = "fc" if hasattr(module, "fc") else "classifier"
    width = {"densenet121": 1024, "mnasnet0_5": 1280, "regnet_y_400mf": 440, "resnet18": 512}
    width |= {"efficientnet_b0": 1280, "mobilenet_v2": 1280}
    nn = torch.nn
    first = (nn.AdaptiveAvgPool2d(1), nn.Flatten()) if architecture == "squeezenet1_1" else ()
    linear = nn.Linear(width.get(architecture, 1024 if name == "fc" else 512), 3)
    setattr(module, name, nn.Sequential(*first, nn.Dropout(0.2), linear))
    return module.eval()


@pytest.mark.parametrize("architecture", SMALL)
@torch.inference_mode()
def test_replaced_heads_of_torchvision_give_what_was_trained(tmp_path: Path, architecture: str) -> None:
    module = replaced(architecture)
    if architecture == "squeezenet1_1":  # its forward pass flattens what the classifier gives
        module.forward = lambda x: module.classifier(module.features(x))  # type: ignore[method-assign]
    torch.save(module.state_dict(), tmp_path / "own.pth")
    target = open_target(f"torchvision:{architecture}@{tmp_path / 'own.pth'}")
    batch = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert np.allclose(target.run(batch.numpy(), []).probabilities, module(batch).softmax(1), atol=1e-5)
    rebuilt = module.state_dict().keys() != models.get_model(architecture).state_dict().keys()
    assert [note for note in target.notes if "was rebuilt as Linear" in note] == list(target.notes)
    assert len(target.notes) == rebuilt


def test_a_set_of_weights_is_chosen_in_the_spec(tmp_path: Path) -> None:
    raw, mean = (small(3, seed).state_dict() for seed in (0, 1))
    torch.save({"state_dict": raw, "state_dict_ema": mean}, tmp_path / "best#1.pth.tar")
    found = [
        open_target(f"torchvision:mobilenet_v3_small{part}@{tmp_path / 'best#1.pth.tar'}")
        for part in ("", "#state_dict_ema")
    ]
    assert [
        torch.equal(each.module.state_dict()["classifier.3.weight"], mean["classifier.3.weight"])
        for each in found
    ] == [False, True]
    assert all("several sets of weights" in each.notes[0] for each in found)


def test_two_checkpoints_of_one_architecture_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "isic2019").mkdir()
    names = [
        open_target(saved(tmp_path / file, small(2))).name
        for file in ("ham.safetensors", "isic2019/model_best.pth.tar", "best.safetensors")
    ]
    assert names[:2] == ["mobilenet_v3_small (ham)", "mobilenet_v3_small (isic2019/model_best)"]
    assert names[2] == f"mobilenet_v3_small ({tmp_path.name}/best)"


def test_class_names_that_a_training_program_saved(tmp_path: Path) -> None:
    state = small(3).state_dict()
    for facts, expected in (
        ({"class_to_idx": {"nv": 1, "mel": 0, "bcc": 2}}, ("mel", "nv", "bcc")),
        ({"hyper_parameters": {"class_names": ["mel", "nv"]}}, ("class 0", "class 1", "class 2")),
    ):
        torch.save({"state_dict": state, **facts}, tmp_path / "own.ckpt")
        target = open_target(f"torchvision:mobilenet_v3_small@{tmp_path / 'own.ckpt'}")
        assert target.classes == expected
    assert "names 2 classes but its head has 3" in target.notes[0]
