"""Encoders of OpenCLIP as people name and keep them; what published weights need is built small."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip import factory
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from csp.errors import BadInputError, UnavailableError
from csp.world.encoders.openclip import _published
from csp.world.protocols.encoder import open_encoder
from tests.world import hub
from tests.world.tiny import pictures, tokenizer

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2},
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """ViT-B-32 made small, and a hub that has OpenAI's weights of it; returns the weights' file."""
    for name, quick in (("ViT-B-32", False), ("ViT-B-32-quickgelu", True)):
        monkeypatch.setitem(factory._MODEL_CONFIGS, name, TINY | ({"quick_gelu": True} if quick else {}))
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32-quickgelu")
    for tensor in model.state_dict().values():
        tensor += torch.randn_like(tensor) * 0.05
    (tmp_path / "openai").mkdir()
    file = tmp_path / "openai" / "open_clip_model.safetensors"
    save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, file)
    repository = open_clip.get_pretrained_cfg("ViT-B-32", "openai")["hf_hub"].rstrip("/")
    hub.put(tmp_path / "hub", repository, file.parent)
    hub.use(monkeypatch, tmp_path / "hub")
    return file


def embeddings(spec: str) -> np.ndarray:
    encoder = open_encoder(spec)
    return encoder.embed_images(np.stack([encoder.preprocess(image) for image in pictures(2)]))


def test_openais_weights_are_computed_with_quickgelu(small: Path) -> None:
    with pytest.warns(UserWarning, match="QuickGELU mismatch"):
        wrong = open_clip.create_model("ViT-B-32", pretrained="openai").eval()
    plain, quick = (open_encoder(f"openclip:{name}/openai") for name in ("ViT-B-32", "ViT-B-32-quickgelu"))
    assert np.array_equal(embeddings(plain.spec), embeddings(quick.spec))
    batch = torch.tensor(np.stack([plain.preprocess(image) for image in pictures(2)]))
    with torch.inference_mode():
        others = wrong.encode_image(batch, normalize=True)
    assert not np.allclose(embeddings(plain.spec), others, atol=1e-4)
    assert plain.weights_hash == quick.weights_hash
    assert plain.notes == (
        "The weights openai of ViT-B-32 were trained with QuickGELU, and are computed with it here.",
    )
    assert quick.notes == ()


def test_every_published_weights_get_the_function_that_they_were_trained_with() -> None:
    for architecture, tag in open_clip.list_pretrained():
        source = _published(architecture, tag)
        config = open_clip.get_model_config(architecture) | (source.options or {})
        trained = open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False)
        assert bool(config.get("quick_gelu", False)) == bool(trained), (architecture, tag)


@pytest.mark.parametrize("name", ["w.pt", "w.ckpt", "w.safetensors", "w"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.clip."])
def test_files_of_weights_by_any_name(small: Path, name: str, prefix: str) -> None:
    state = {prefix + key: value for key, value in load_file(small).items()}
    beside = {"state_dict": state | {"loss.weight": torch.ones(1)}, "best": np.float64(1)}
    torch.save(beside, small.with_name(name))
    encoder = open_encoder(f"openclip:ViT-B-32-quickgelu/{small.with_name(name)}")
    assert np.array_equal(embeddings(encoder.spec), embeddings("openclip:ViT-B-32/openai"))
    assert ["'loss.weight'" in note for note in encoder.notes] == [True]


def test_a_file_does_not_say_its_activation_function(small: Path) -> None:
    encoder = open_encoder(f"openclip:ViT-B-32/{small}")
    assert encoder.name == "ViT-B-32 (open_clip_model)"
    assert f"write openclip:ViT-B-32-quickgelu/{small}." in encoder.notes[0]


class Trap:
    def __reduce__(self) -> Any:
        return print, ("trapped",)


@pytest.mark.parametrize("where", ["file", "folder"])
def test_pickled_weights_are_named_with_the_fix(
    tiny_models: Path, tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(tiny_models / "openclip", tmp_path / "clip")
    state = load_file(folder / "open_clip_model.safetensors")
    (folder / "open_clip_model.safetensors").unlink()
    file = folder / "open_clip_pytorch_model.bin"
    torch.save({"state_dict": state, "args": Trap()}, file)
    spec = f"openclip:local-dir:{folder}" if where == "folder" else f"openclip:ViT-B-32/{file}"
    with pytest.raises(BadInputError, match=rf"'{file}' holds more than weights .*save only"):
        open_encoder(spec)
    assert "trapped" not in capsys.readouterr().out
    torch.save({"state_dict": state, "best": np.float64(0.9)}, file)
    if where == "folder":
        assert (
            open_encoder(spec).weights_hash
            == open_encoder(f"openclip:local-dir:{tiny_models / 'openclip'}").weights_hash
        )


def with_text_tower(folder: Path, named: str) -> Path:
    """An OpenCLIP folder whose text tower is one of transformers, in the folder `text` inside."""
    (folder / "text").mkdir(parents=True)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertConfig(vocab_size=20, **size).save_pretrained(folder / "text")
    text = {
        "hf_model_name": str(folder / "text"),
        "hf_tokenizer_name": named,
        "hf_model_pretrained": False,
        "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": 12,
    }
    vision = {"image_size": 32, "patch_size": 8, "width": 16, "layers": 2, "head_width": 8}
    config = {"model_cfg": {"embed_dim": 12, "vision_cfg": vision, "text_cfg": text}, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    tokenizer().save_pretrained(folder)
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", pretrained_text=False)
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    text["hf_model_name"] = named
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("named", ["./text", "text", "absolute"])
def test_a_text_tower_in_the_folder_is_found(tmp_path: Path, named: str) -> None:
    folder = tmp_path / "clip"
    with_text_tower(folder, str(folder / "text") if named == "absolute" else named)
    encoder = open_encoder(f"openclip:local-dir:{folder}")
    assert encoder.embed_texts(["blue veil"]).shape == (1, 12)
    assert encoder.notes == ()


@pytest.mark.parametrize("named", ["./text", "text", "absolute"])
def test_a_tokenizer_beside_the_text_tower_is_found(tmp_path: Path, named: str) -> None:
    folder = with_text_tower(
        tmp_path / "clip", str(tmp_path / "clip" / "text") if named == "absolute" else named
    )
    expected = open_encoder(f"openclip:local-dir:{folder}").embed_texts(["blue veil"])
    for file in folder.glob("tokenizer*"):
        file.rename(folder / "text" / file.name)
    found = open_encoder(f"openclip:local-dir:{folder}").embed_texts(["blue veil"])
    assert np.array_equal(found, expected)


def test_a_missing_tokenizer_is_named_with_the_fix(tmp_path: Path) -> None:
    folder = with_text_tower(tmp_path / "clip", "./text")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(
        BadInputError, match=r"names './text' as hf_tokenizer_name, and there is no tokenizer"
    ):
        open_encoder(f"openclip:local-dir:{folder}")
    file = folder / "open_clip_config.json"
    file.write_text(file.read_text().replace('"hf_tokenizer_name": "./text"', '"hf_tokenizer_name": "a/b"'))
    with pytest.raises(UnavailableError, match=r"tokenizer 'a/b', which its open_clip_config.json names"):
        open_encoder(f"openclip:local-dir:{folder}")


@pytest.mark.parametrize(
    ("named", "kind", "words"),
    [
        ("microsoft/Some-BERT", UnavailableError, "download it and write its folder there"),
        ("./nowhere", UnavailableError, "download it and write its folder there"),
        (".", BadInputError, r"no config.json in it"),
    ],
)
def test_a_missing_text_tower_is_named_with_its_file(
    tmp_path: Path, named: str, kind: type[Exception], words: str
) -> None:
    folder = with_text_tower(tmp_path / "clip", named)
    with pytest.raises(kind, match=words) as caught:
        open_encoder(f"openclip:local-dir:{folder}")
    assert f"'{named}'" in str(caught.value)
    assert "open_clip_config.json" in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("text", [False, True])
def test_models_of_the_hub_are_opened_by_owner_and_name(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bool
) -> None:
    folder = tiny_models / "openclip"
    if text:  # as BiomedCLIP: text tower and tokenizer are other models of the hub
        folder = with_text_tower(tmp_path / "clip", "owner/bert")
        bert = shutil.copytree(folder / "text", tmp_path / "bert")
        tokenizer().save_pretrained(bert)
        BertModel(BertConfig.from_pretrained(bert)).save_pretrained(bert)
        hub.put(tmp_path / "hub", "owner/bert", bert)
    else:
        folder = shutil.copytree(folder, tmp_path / "clip")
        config = json.loads((folder / "open_clip_config.json").read_text())
        config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "owner/words"
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        BertConfig().save_pretrained(tmp_path / "words")
        tokenizer().save_pretrained(tmp_path / "words")
        hub.put(tmp_path / "hub", "owner/words", tmp_path / "words")
    hub.put(tmp_path / "hub", "owner/Some-CLIP", folder)
    hub.use(monkeypatch, tmp_path / "hub")
    encoder = open_encoder("openclip:hf-hub:owner/Some-CLIP")
    assert encoder.name == "owner/Some-CLIP"
    assert encoder.embed_texts(["blue veil"]).shape == (1, 12)
    assert encoder.notes == ()
    if not text:
        assert (
            encoder.weights_hash
            == open_encoder(f"openclip:local-dir:{tiny_models / 'openclip'}").weights_hash
        )


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("hf-hub:owner/nothing", UnavailableError, r"can't be downloaded or opened .*local-dir:FOLDER"),
        ("hf-hub:nothing", BadInputError, "OWNER/NAME"),
        ("redlessone/DermLIP_ViT-B-16", BadInputError, "openclip:hf-hub:redlessone/DermLIP_ViT-B-16"),
    ],
)
def test_names_of_the_hub_that_open_nothing(name: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        open_encoder(f"openclip:{name}")


def test_a_repository_without_weights_is_not_opened_with_random_ones(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(tiny_models / "openclip", tmp_path / "clip")
    (folder / "open_clip_model.safetensors").unlink()
    hub.put(tmp_path / "hub", "owner/Some-CLIP", folder)
    hub.use(monkeypatch, tmp_path / "hub")
    with pytest.raises(UnavailableError, match="can't be downloaded or opened"):
        open_encoder("openclip:hf-hub:owner/Some-CLIP")
