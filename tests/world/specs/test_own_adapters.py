"""The code in docs/how-to/ is what a person copies: it has to work as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

from csp.world.protocols.dataset import open_dataset
from csp.world.protocols.encoder import open_encoder
from csp.world.protocols.target import open_target
from tests.world.tiny import pictures

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"


def blocks(page: str) -> list[str]:
    """The Python code of a page, block by block."""
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's modules lie in the working folder, which is on the Python path."""
    for block in blocks("own-adapters.md"):
        if name := re.match(r"# (\w+)\.py", block):
            (tmp_path / f"{name[1]}.py").write_text(block)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def test_an_own_classifier() -> None:
    target = open_target("python:my_classifier:mine", pooling="max")
    assert [layer.layer for layer in target.layers()] == ["0", "1", "2", "3", "4"]
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    found = target.run(batch, ["1", "4"])
    assert found.activations["1"].shape == (3, 8)
    assert found.activations["1"].min() >= 0
    assert np.allclose(found.probabilities.sum(1), 1, atol=1e-6)


def test_an_own_encoder() -> None:
    encoder = open_encoder("python:my_encoder:mine")
    images = encoder.embed_images(np.stack([encoder.preprocess(image) for image in pictures(3)]))
    texts = encoder.embed_texts(["mole", "ruler", ""])
    assert images.shape == texts.shape == (3, encoder.dimension)
    assert np.allclose(np.linalg.norm(np.concatenate([images, texts]), axis=1), 1, atol=1e-6)


def test_an_own_dataset() -> None:
    dataset = open_dataset("python:my_dataset:mine")
    assert dataset.attributes == ("ruler",)
    assert len(dataset.fingerprint()) == 64


def test_an_own_checkpoint() -> None:
    exec(compile(blocks("models.md")[0], "models.md", "exec"), {})
    target = open_target("torchvision:mobilenet_v3_small@own.safetensors")
    assert target.classes == ("melanoma", "other")
    assert target.input_size == (224, 224)
