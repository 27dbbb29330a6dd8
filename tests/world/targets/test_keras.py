"""Models of Keras 3, written by Keras: layers by name, values beside the picture, and what is refused."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.columns import entered
from csp.world.protocols.target import open_target
from csp.world.targets.keras import keras  # first: it chooses torch
from csp.world.torch_models.target import TorchTarget
from tests.world.tiny import CLASSES, pictures

NAMES = list(CLASSES.values())
layers = keras.layers


def net(last: str | None = "softmax") -> Any:
    """A picture, an age, and one of two sexes; a block within the model."""
    keras.utils.set_random_seed(0)
    picture, age = keras.Input((20, 28, 3), name="picture"), keras.Input((1,), name="age")
    sex = keras.Input((2,), name="sex")
    found = layers.Rescaling(1 / 255)(picture)
    found = layers.Conv2D(5, 3, activation="relu", name="conv")(found)
    block = keras.Sequential([layers.Conv2D(6, 3, name="deep"), layers.ReLU(name="cut")], name="block")
    found = layers.GlobalAveragePooling2D(name="mean")(block(found))
    joined = layers.Concatenate(name="joined")([found, layers.Rescaling(0.01, name="years")(age), sex])
    return keras.Model([sex, picture, age], layers.Dense(3, activation=last, name="head")(joined))


def written(file: Path, model: Any, **facts: Any) -> Path:
    """By Keras, with what the file says of itself put in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own, of NumPy
        model.save(file)
    if facts:
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("csp.json", json.dumps(facts))
    return file


@pytest.mark.parametrize("last", [None, "softmax", "sigmoid"])
def test_layers_are_read_by_name_and_columns_enter(tmp_path: Path, last: str | None) -> None:
    model, columns = net(last), {"sex": {"choices": ["female", "male"]}}
    target = open_target(f"keras:{written(tmp_path / 'skin.keras', model, classes=NAMES, columns=columns)}")
    assert isinstance(target, TorchTarget)
    assert (target.name, target.classes, target.input_size) == ("skin", tuple(NAMES), (20, 28))
    known = {one.layer: one for one in target.layers()}
    assert (known["conv"].type, known["conv"].shape, known["conv"].parameters) == ("Conv2D", (18, 26, 5), 140)
    assert known["block.deep"].shape == (16, 24, 6)
    batch = np.stack([target.preprocess(image) for image in pictures(3)])
    assert batch.max() > 200, "its own layer scales the pixels"
    values = entered(target.columns, [{"age": 20, "sex": "male"}, {"sex": "female"}, {"age": 70}])
    seen = target.given(values)
    found = seen.run(batch, ["conv", "block.cut"])
    given = torch.tensor([[0.0, 1], [1, 0], [1, 0]]), torch.tensor(batch.transpose(0, 2, 3, 1))
    with torch.inference_mode():
        expected = model([*given, torch.tensor([[20.0], [0], [70]])])
        conv = keras.Model(model.inputs, model.get_layer("conv").output)([*given, torch.zeros(3, 1)])
    np.testing.assert_allclose(found.probabilities, expected if last else expected.softmax(1), atol=1e-5)
    np.testing.assert_allclose(found.activations["conv"], conv.mean((1, 2)), atol=1e-4)
    assert seen.maps(batch, "block.cut", [1, 0]).shape == (3, 2, 16, 24)
    assert seen.contributions(batch, "conv").values.any()
    held = seen.held(batch, {"block": ([0], np.full((3, 1), 9.0, np.float32))})
    assert np.abs(held - found.probabilities).max() > 1e-4
    with pytest.raises(NotFoundError, match=r"nearest: .*block\.deep"):
        seen.run(batch, ["block.deap"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda config: config["config"]["layers"][2].update(class_name="Lambda"), "'Lambda'"),
        (lambda config: config["config"]["layers"][2].update(module="os"), "not Keras's own"),
        (lambda config: config.update(module=None, registered_name="mine>Net"), "'Functional'"),
        (lambda config: config["config"]["layers"].clear(), "can't be opened"),
    ],
)
def test_what_is_more_than_layers_of_keras_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    with zipfile.ZipFile(written(tmp_path / "skin.keras", net())) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)
    with pytest.raises(BadInputError, match=words):
        open_target(f"keras:{tmp_path / 'odd.keras'}")


def test_what_it_does_not_say_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="takes 2 numbers for 'sex'"):
        open_target(f"keras:{written(tmp_path / 'skin.keras', net())}")
    words = keras.Sequential([keras.Input((8,)), layers.Dense(2)])
    with pytest.raises(BadInputError, match="one picture of three colours"):
        open_target(f"keras:{written(tmp_path / 'words.keras', words)}")
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    with pytest.raises(BadInputError, match="older Keras"):
        open_target(f"keras:{tmp_path / 'old.h5'}")
