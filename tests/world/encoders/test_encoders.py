import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.protocols.encoder import Encoder, open_encoder
from csp.world.protocols.templates import TEMPLATES
from csp.world.torch_models.encoder import TEXT_BATCH
from tests.world.tiny import pictures

KINDS = ("openclip", "clip", "siglip")


def spec(root: Path, kind: str) -> str:
    return f"openclip:local-dir:{root / kind}" if kind == "openclip" else f"hf:{root / kind}"


@pytest.fixture(scope="module", params=KINDS)
def encoder(request: pytest.FixtureRequest, tiny_models: Path) -> Encoder:
    return open_encoder(spec(tiny_models, request.param))


def batch_of(encoder: Encoder, count: int) -> np.ndarray:
    return np.stack([encoder.preprocess(image) for image in pictures(count)])


def test_embeddings_are_unit_vectors_of_one_space(encoder: Encoder) -> None:
    images = encoder.embed_images(batch_of(encoder, 3))
    texts = encoder.embed_texts(["blue veil", "ruler"])
    assert images.shape == (3, encoder.dimension)
    assert texts.shape == (2, encoder.dimension)
    for embeddings in (images, texts):
        assert embeddings.dtype == np.float32
        assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


@torch.inference_mode()
def test_openclip_embeddings_equal_the_models_own(tiny_models: Path) -> None:
    source = f"local-dir:{tiny_models / 'openclip'}"
    model, _, preprocess = open_clip.create_model_and_transforms(source)
    tokenizer = open_clip.get_tokenizer(source)
    encoder = open_encoder(f"openclip:{source}")
    images = pictures(3)
    batch = np.stack([encoder.preprocess(image) for image in images])
    pixels = torch.stack([preprocess(image) for image in images])
    assert np.array_equal(batch, pixels)
    model.eval()
    assert np.allclose(encoder.embed_images(batch), model.encode_image(pixels, normalize=True), atol=1e-6)
    text = model.encode_text(tokenizer(["red ruler"]), normalize=True)
    assert np.allclose(encoder.embed_texts(["red ruler"], ["{}"]), text, atol=1e-6)
    assert encoder.name == "openclip"
    assert encoder.spec == f"openclip:{source}"


@pytest.mark.parametrize("kind", ["clip", "siglip"])
@torch.inference_mode()
def test_transformers_embeddings_equal_those_of_the_whole_model(tiny_models: Path, kind: str) -> None:
    folder = tiny_models / kind
    encoder = open_encoder(f"hf:{folder}")
    batch = batch_of(encoder, 3)
    prompts = ["blue veil", "a photo of red hair"]
    tokens = AutoTokenizer.from_pretrained(folder)(
        prompts, padding="max_length", max_length=12, return_tensors="pt"
    )
    output = AutoModel.from_pretrained(folder).eval()(**tokens, pixel_values=torch.tensor(batch))
    assert np.allclose(encoder.embed_images(batch), output.image_embeds, atol=1e-5)
    assert np.allclose(encoder.embed_texts(prompts, ["{}"]), output.text_embeds, atol=1e-5)


def test_texts_are_the_mean_over_templates_normalised_again(encoder: Encoder) -> None:
    texts, templates = ["blue veil", "ruler", "red hair"], ["{}", "a photo of {}", "an image of a {}"]
    each = np.stack([encoder.embed_texts(texts, [template]) for template in templates])
    assert np.allclose(np.linalg.norm(each, axis=2), 1, atol=1e-6)
    mean = torch.tensor(each).mean(0)
    assert np.allclose(encoder.embed_texts(texts, templates), normalize(mean, dim=1), atol=1e-5)
    left = encoder.embed_texts(texts, templates, renormalise=False)
    assert np.allclose(left, mean, atol=1e-5)
    assert np.all(np.linalg.norm(left, axis=1) < 1)


def test_many_texts_in_batches_are_each_as_alone(encoder: Encoder) -> None:
    words = ["mole", "ruler", "blue veil", "a photo of red hair", "image"]
    texts = [words[index % len(words)] for index in range(TEXT_BATCH + 3)]
    together = encoder.embed_texts(texts, ["a {}"])
    alone = np.concatenate([encoder.embed_texts([word], ["a {}"]) for word in words])
    assert np.allclose(together, alone[np.arange(len(texts)) % len(words)], atol=1e-5)


def test_texts_longer_than_the_context_empty_or_with_braces(encoder: Encoder) -> None:
    found = encoder.embed_texts(["blue " * 200, "", "{} {0} %s", "ünïcode 🩺"])
    assert np.isfinite(found).all()
    assert encoder.embed_texts([]).shape == (0, encoder.dimension)


@pytest.mark.parametrize("templates", [[], ["a photo"], ["{}", "a photo of {0}"]])
def test_templates_without_a_place_for_the_text_are_refused(encoder: Encoder, templates: list[str]) -> None:
    with pytest.raises(BadInputError, match=r"needs a \{\}"):
        encoder.embed_texts(["mole"], templates)


def test_default_templates_have_one_place_each() -> None:
    assert all(template.count("{}") == 1 for template in TEMPLATES)
    assert len(set(TEMPLATES)) == len(TEMPLATES)


@pytest.mark.parametrize("size", [(100, 1), (1, 100), (3, 50), (50, 3)])
def test_thin_images_are_preprocessed(encoder: Encoder, size: tuple[int, int]) -> None:
    prepared = encoder.preprocess(Image.new("RGB", size, "red"))
    assert prepared.shape == (3, 32, 32)
    assert prepared.dtype == np.float32
    assert prepared[0].min() > prepared[1].max()


def test_preprocessing_from_many_threads_is_that_of_one(encoder: Encoder) -> None:
    images = pictures(64)
    one = np.stack([encoder.preprocess(image) for image in images])
    with ThreadPoolExecutor(8) as pool:
        assert np.array_equal(np.stack(list(pool.map(encoder.preprocess, images))), one)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("clip:ViT-B-32", BadInputError, "starts with none of openclip:, hf:, python:"),
        ("openclip:ViT-B-33/openai", BadInputError, r"no architecture 'ViT-B-33' \(nearest: ViT-B-32"),
        (
            "openclip:ViT-B-32/no-such-tag",
            BadInputError,
            "no weights 'no-such-tag' for ViT-B-32.* it has openai",
        ),
        ("openclip:ViT-B-32", BadInputError, "no weights '' for ViT-B-32"),
        ("openclip:ViT-B-32/laion2b_s34b_b79k", UnavailableError, "can't be downloaded"),
        ("openclip:local-dir:/no/such/folder", NotFoundError, "'/no/such/folder' does not exist"),
        ("hf:/no/such/folder", NotFoundError, "'/no/such/folder' does not exist"),
        ("hf:someone/some-model", UnavailableError, "neither a folder here nor a model that the hub gave"),
    ],
)
def test_names_of_nothing(name: str, kind: type[CspError], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        open_encoder(name)


def test_a_model_that_is_no_dual_encoder_is_refused(tiny_models: Path) -> None:
    with pytest.raises(BadInputError, match="is a 'vit' model, no dual encoder"):
        open_encoder(f"hf:{tiny_models / 'vit'}")


@pytest.fixture
def copy(tiny_models: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_models / "openclip", tmp_path / "copy")


def test_openclip_folders_that_lack_a_part_are_refused(copy: Path) -> None:
    weights, config = copy / "open_clip_model.safetensors", copy / "open_clip_config.json"
    content = weights.read_bytes()
    weights.write_bytes(content[:500])
    with pytest.raises(BadInputError, match=r"open_clip_model.safetensors' is damaged"):
        open_encoder(f"openclip:local-dir:{copy}")
    weights.unlink()
    with pytest.raises(BadInputError, match="has no weights"):
        open_encoder(f"openclip:local-dir:{copy}")
    config.unlink()
    with pytest.raises(BadInputError, match=r"it has no open_clip_config.json"):
        open_encoder(f"openclip:local-dir:{copy}")


def test_openclip_weights_of_another_shape_and_broken_configs_are_refused(copy: Path) -> None:
    file = copy / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["model_cfg"]["embed_dim"] = 16
    file.write_text(json.dumps(config))
    with pytest.raises(BadInputError, match="can't be opened"):
        open_encoder(f"openclip:local-dir:{copy}")
    for broken in (
        "{",
        "{}",
        '{"model_cfg": {}}',
        '{"model_cfg": {"embed_dim": 1, "text_cfg": {}, "vision_cfg": {"x": 1}}}',
    ):
        file.write_text(broken)
        with pytest.raises(BadInputError, match="can't be opened"):
            open_encoder(f"openclip:local-dir:{copy}")


def test_openclip_without_its_tokenizer_is_refused(copy: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    with pytest.raises(BadInputError, match="can't be opened"):
        open_encoder(f"openclip:local-dir:{copy}")


def test_the_weights_hash_is_the_contents(tiny_models: Path, copy: Path) -> None:
    hashes = {kind: open_encoder(spec(tiny_models, kind)).weights_hash for kind in KINDS}
    assert len(set(hashes.values())) == len(KINDS)
    assert open_encoder(f"openclip:local-dir:{copy}").weights_hash == hashes["openclip"]


def test_an_encoder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_encoder.py").write_text(
        "from types import SimpleNamespace\n"
        "def open_encoder(name):\n"
        "    return SimpleNamespace(spec=f'python:own_encoder:{name}', dimension=7)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert open_encoder("python:own_encoder:x").spec == "python:own_encoder:x"
