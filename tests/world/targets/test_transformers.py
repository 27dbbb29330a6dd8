import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.models import save_for_hf
from torch import Tensor
from transformers import (
    AutoModelForImageClassification,
    PreTrainedModel,
    TimmWrapperConfig,
    TimmWrapperForImageClassification,
    ViTForImageClassification,
)

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import open_target
from tests.world.tiny import CLASSES, pictures


def direct(folder: Path) -> PreTrainedModel:
    return AutoModelForImageClassification.from_pretrained(folder).eval()


@pytest.mark.parametrize("kind", ["vit", "swin", "resnet"])
def test_classes_probabilities_and_input_are_the_models_own(tiny_models: Path, kind: str) -> None:
    target = open_target(f"hf:{tiny_models / kind}")
    assert target.name == kind
    assert target.spec == f"hf:{tiny_models / kind}"
    assert target.classes == tuple(CLASSES.values())
    assert target.input_size == (32, 32)
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    assert batch.dtype == np.float32
    with torch.inference_mode():
        expected = direct(tiny_models / kind)(torch.tensor(batch)).logits.softmax(1)
    assert np.allclose(target.run(batch, []).probabilities, expected, atol=1e-6)


def test_preprocessing_is_the_processors(tiny_models: Path) -> None:
    target = open_target(f"hf:{tiny_models / 'vit'}")
    red = target.preprocess(Image.new("RGB", (50, 40), (255, 0, 51)))
    assert red.shape == (3, 32, 32)
    assert np.allclose(red, ((np.array([1, 0, 0.2]) - 0.5) / 0.5)[:, None, None], atol=1e-5)


REDUCE: dict[Pooling, Callable[[Tensor], Tensor]] = {
    "cls": lambda tokens: tokens[:, 0],
    "mean": lambda tokens: tokens.mean(1),
    "max": lambda tokens: tokens.amax(1),
}


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
@pytest.mark.parametrize("kind", ["vit", "swin"])
@torch.inference_mode()
def test_tokens_equal_the_models_hidden_states(tiny_models: Path, kind: str, pooling: Pooling) -> None:
    target = open_target(f"hf:{tiny_models / kind}", pooling=pooling)
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    hidden = direct(tiny_models / kind)(torch.tensor(batch), output_hidden_states=True).hidden_states
    layer = {"vit": "vit.layers.0", "swin": "swin.encoder.layers.0"}[kind]
    found = target.run(batch, [layer]).activations[layer]
    assert np.allclose(found, REDUCE[pooling](hidden[1]), atol=1e-5)


@torch.inference_mode()
def test_a_model_output_is_read_by_its_hidden_state(tiny_models: Path) -> None:
    target = open_target(f"hf:{tiny_models / 'vit'}", pooling="cls")
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    expected = direct(tiny_models / "vit").vit(torch.tensor(batch)).last_hidden_state[:, 0]
    assert np.allclose(target.run(batch, ["vit"]).activations["vit"], expected, atol=1e-5)


@torch.inference_mode()
def test_feature_maps_are_pooled_over_space(tiny_models: Path) -> None:
    target = open_target(f"hf:{tiny_models / 'resnet'}", pooling="max")
    batch = np.stack([target.preprocess(image) for image in pictures(2)])
    layers = ["resnet.encoder.stages.0", "resnet.encoder"]
    hidden = direct(tiny_models / "resnet")(torch.tensor(batch), output_hidden_states=True).hidden_states
    found = target.run(batch, layers).activations
    assert np.allclose(found[layers[0]], hidden[1].amax((2, 3)), atol=1e-5)
    assert np.allclose(found[layers[1]], hidden[2].amax((2, 3)), atol=1e-5)


def test_layers_that_are_listed_can_be_read(tiny_models: Path) -> None:
    for kind in ("vit", "swin", "resnet"):
        target = open_target(f"hf:{tiny_models / kind}")
        layers = [layer.layer for layer in target.layers()]
        found = target.run(np.zeros((3, 3, 32, 32), np.float32), layers).activations
        assert {activations.shape[0] for activations in found.values()} == {3}
        assert {activations.ndim for activations in found.values()} == {2}


def test_the_pooler_of_swin_keeps_its_channels(tiny_models: Path) -> None:
    target = open_target(f"hf:{tiny_models / 'swin'}")
    found = target.run(np.zeros((2, 3, 32, 32), np.float32), ["swin.pooler"]).activations
    assert found["swin.pooler"].shape == (2, 16)


@pytest.mark.parametrize("size", [(100, 1), (1, 100), (3, 50), (50, 3), (3, 3)])
@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_thin_images_are_preprocessed(tiny_models: Path, kind: str, size: tuple[int, int]) -> None:
    prepared = open_target(f"hf:{tiny_models / kind}").preprocess(Image.new("RGB", size, "red"))
    assert prepared.shape == (3, 32, 32)
    assert prepared[0].min() > prepared[1].max()  # red stays red: the layout was not mistaken


def test_preprocessing_from_many_threads_is_that_of_one(tiny_models: Path) -> None:
    target, images = open_target(f"hf:{tiny_models / 'resnet'}"), pictures(64)
    one = np.stack([target.preprocess(image) for image in images])
    with ThreadPoolExecutor(8) as pool:
        assert np.array_equal(np.stack(list(pool.map(target.preprocess, images))), one)


def test_the_weights_hash_is_the_contents(tiny_models: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_models / "vit", tmp_path / "copy")
    before = open_target(f"hf:{copy}").weights_hash
    assert before == open_target(f"hf:{tiny_models / 'vit'}").weights_hash
    model = direct(copy)
    model.classifier.bias.data[0] += 1
    model.save_pretrained(copy)
    assert open_target(f"hf:{copy}").weights_hash != before


def test_independent_labels_have_a_probability_each(tiny_models: Path, tmp_path: Path) -> None:
    folder = changed(tiny_models / "vit", tmp_path / "multi", problem_type="multi_label_classification")
    target = open_target(f"hf:{folder}")
    batch = np.zeros((1, 3, 32, 32), np.float32)
    with torch.inference_mode():
        expected = direct(folder)(torch.tensor(batch)).logits.sigmoid()
    assert np.allclose(target.run(batch, []).probabilities, expected, atol=1e-6)


def changed(source: Path, folder: Path, **fields: object) -> Path:
    """A copy of a model folder with other fields in its config."""
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text()) | fields
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_half_precision_weights_run_in_single(tiny_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "half")
    ViTForImageClassification.from_pretrained(folder, dtype=torch.float16).save_pretrained(folder)
    found = open_target(f"hf:{folder}").run(np.zeros((1, 3, 32, 32), np.float32), ["vit.layers.1"])
    assert found.activations["vit.layers.1"].dtype == np.float32


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("./no/such/folder", NotFoundError, "folder './no/such/folder' does not exist"),
        ("someone/some-model", UnavailableError, "neither a folder here nor a model that the hub gave"),
        ("", BadInputError, "names nothing after 'hf:'"),
    ],
)
def test_names_of_nothing(name: str, kind: type[CspError], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        open_target(f"hf:{name}")


def test_folders_that_are_no_classifier(tiny_models: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no transformers model: it has no config.json"):
        open_target(f"hf:{tmp_path}")
    odd = changed(tiny_models / "vit", tmp_path / "odd", model_type="no-such-type")
    with pytest.raises(BadInputError, match="odd' can't be opened"):
        open_target(f"hf:{odd}")


def test_weights_without_the_head_are_refused_not_made_up(tiny_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "headless")
    direct(folder).vit.save_pretrained(tmp_path / "body")
    shutil.copy(tmp_path / "body" / "model.safetensors", folder)
    with pytest.raises(BadInputError, match=r"'classifier.bias', 'classifier.weight' are missing"):
        open_target(f"hf:{folder}")


def test_weights_of_another_shape_and_cut_off_weights_are_refused(tiny_models: Path, tmp_path: Path) -> None:
    wide = changed(tiny_models / "vit", tmp_path / "wide", hidden_size=32)
    with pytest.raises(BadInputError, match=r"do not fit its config.json: '.*' is \(.*16.*\) instead"):
        open_target(f"hf:{wide}")
    cut = shutil.copytree(tiny_models / "vit", tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:999])
    with pytest.raises(BadInputError, match="cut' can't be opened"):
        open_target(f"hf:{cut}")
    wrong = changed(tiny_models / "vit", tmp_path / "wrong", id2label={str(i): f"c{i}" for i in range(5)})
    with pytest.raises(BadInputError, match=r"is \(3,\) instead of \(5,\); a head of other classes"):
        open_target(f"hf:{wrong}")


LACKING = {
    "preprocessor_config.json": "has no preprocessor_config.json.*save the image processor",
    "model.safetensors": r"has no weights \(model.safetensors\)",
    "config.json": "has no config.json",
}


@pytest.mark.parametrize("file", LACKING)
def test_what_a_folder_lacks_is_named_with_the_fix(tiny_models: Path, tmp_path: Path, file: str) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "bare")
    (folder / file).unlink()
    with pytest.raises(BadInputError, match=LACKING[file]):
        open_target(f"hf:{folder}")


def test_folders_around_a_model_name_the_one_to_open(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models / "vit", tmp_path / "trainer" / "checkpoint-500")
    with pytest.raises(BadInputError, match=r"name one, such as .*trainer/checkpoint-500"):
        open_target(f"hf:{tmp_path / 'trainer'}")
    assert open_target(f"hf:{tmp_path / 'trainer/checkpoint-500'}").name == "trainer/checkpoint-500"
    for file, words in (("adapter_config.json", "LoRA"), ("open_clip_config.json", "openclip:local-dir:")):
        (tmp_path / file.split("_")[0]).mkdir()
        (tmp_path / file.split("_")[0] / file).write_text("{}")
        with pytest.raises(BadInputError, match=words):
            open_target(f"hf:{tmp_path / file.split('_')[0]}")


BROKEN: list[Any] = [
    [],
    "vit",
    None,
    {"hidden_size": "x"},
    {"id2label": [1]},
    {"num_attention_heads": 0},
    {"hidden_act": "no"},
    {"model_type": "timm_wrapper", "architecture": "no_such_net"},
    {"model_type": "timm_wrapper", "model_args": {"x": 1}},
]


@pytest.mark.parametrize("config", BROKEN, ids=str)
def test_a_librarys_error_is_one_sentence(tiny_models: Path, tmp_path: Path, config: Any) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "broken")
    whole = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(whole | config if isinstance(config, dict) else config))
    with pytest.raises(CspError) as caught:
        open_target(f"hf:{folder}")
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"size": "big"}, {"image_mean": [1]}, {"image_processor_type": "No"}, {"resample": 99}]
)
def test_a_processor_with_wrong_settings_is_one_sentence(
    tiny_models: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "broken")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    with pytest.raises(CspError) as caught:
        open_target(f"hf:{folder}")
    assert str(folder) in str(caught.value)


class Trap:
    def __reduce__(self) -> Any:
        return print, ("trapped",)


def test_pickled_weights_are_named(
    tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "pickled")
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state | {"best": np.float64(1)}, folder / "pytorch_model.bin")
    assert open_target(f"hf:{folder}").weights_hash == open_target(f"hf:{tiny_models / 'vit'}").weights_hash
    torch.save(state | {"args": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(BadInputError, match=r"'pytorch_model.bin' of model .* holds more than weights"):
        open_target(f"hf:{folder}")
    assert "trapped" not in capsys.readouterr().out


def test_weights_that_are_no_numbers_are_refused(tiny_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_models / "vit", tmp_path / "nan")
    state = load_file(folder / "model.safetensors")
    state["classifier.bias"][0] = float("nan")
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInputError, match=r"not numbers .*'classifier.bias'"):
        open_target(f"hf:{folder}")


@pytest.fixture(scope="module")
def timm_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of timm, saved by transformers and by timm itself."""
    root = tmp_path_factory.mktemp("timm")
    torch.manual_seed(0)
    size = {
        "input_size": [3, 32, 32],
        "crop_pct": 1.0,
        "mean": [0.5] * 3,
        "std": [0.25] * 3,
        "num_classes": 3,
    }
    config = TimmWrapperConfig(
        architecture="test_resnet", num_labels=3, pretrained_cfg=size, label_names=list(CLASSES.values())
    )
    TimmWrapperForImageClassification(config).save_pretrained(root / "wrapped")
    save_for_hf(timm.create_model("test_resnet", num_classes=3), root / "by_timm")
    save_for_hf(
        timm.create_model("test_resnet", num_classes=3),
        root / "named",
        {"label_names": list(CLASSES.values())},
    )
    return root


@pytest.mark.parametrize("kind", ["wrapped", "by_timm", "named"])
def test_models_of_timm_open(timm_models: Path, kind: str) -> None:
    target = open_target(f"hf:{timm_models / kind}")
    if kind == "by_timm":
        assert target.classes == ("class 0", "class 1", "class 2")
        assert "does not say what its classes are called" in target.notes[0]
    else:
        assert target.classes == tuple(CLASSES.values())
        assert target.notes == ()
    batch = np.stack([target.preprocess(image) for image in (*pictures(2), Image.new("RGB", (50, 3), "red"))])
    assert batch.shape == (3, 3, *target.input_size)
    layer = target.layers()[-1].layer
    found = target.run(batch, [layer])
    assert np.allclose(found.probabilities.sum(1), 1, atol=1e-5)


def test_what_a_timm_folder_prepares_is_what_timm_prepares(timm_models: Path) -> None:
    red = open_target(f"hf:{timm_models / 'wrapped'}").preprocess(Image.new("RGB", (50, 40), (255, 0, 51)))
    assert red.shape == (3, 32, 32)
    assert np.allclose(red, ((np.array([1, 0, 0.2]) - 0.5) / 0.25)[:, None, None], atol=1e-5)


def test_a_processor_without_a_fixed_size_is_refused(tiny_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_models / "resnet", tmp_path / "loose")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"do_resize": False}))
    with pytest.raises(BadInputError, match="does not give every image one size"):
        open_target(f"hf:{folder}")
