"""A demo training that was stopped and started again ends with the weights of one that was not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from csp.world.dermoscopy import sample_case
from scripts.demo.data import planted_case
from scripts.demo.train_classifier import spread
from scripts.demo.training import MEAN, STD, Training, augmented, batches, prepared, resized

EPOCHS, IMAGES, BATCH = 4, 12, 4


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_HOME", str(tmp_path))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (IMAGES, 128, 128, 3), dtype=np.uint8)


def trained(name: str, images: np.ndarray, stop_in: int | None = None) -> dict[str, Tensor]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(3 * 4 * 4, 2))
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    training = Training(name, model, optimiser, EPOCHS * (IMAGES // BATCH))
    training.resume()
    for epoch in range(training.epoch, EPOCHS):
        for index, pixels in batches(images, 32, BATCH, np.random.default_rng(epoch)):
            if epoch == stop_in:
                raise KeyboardInterrupt
            training.step(model(pixels)[:, int(index[0]) % 2].square().mean())
        training.finish_epoch()
    return model.state_dict()


def test_stopped_training_goes_on_to_the_same_weights(images: np.ndarray) -> None:
    whole = trained("whole", images)
    with pytest.raises(KeyboardInterrupt):
        trained("stopped", images, stop_in=2)
    again = trained("stopped", images)
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_finished_training_is_not_repeated(images: np.ndarray) -> None:
    whole = trained("whole", images)
    again = trained("whole", images, stop_in=0)
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_epoch_shows_each_picture_once_in_the_size_asked(images: np.ndarray) -> None:
    shown = list(batches(images, 32, BATCH, np.random.default_rng(0)))
    assert sorted(i for index, _ in shown for i in index) == list(range(IMAGES))
    assert {tuple(pixels.shape) for _, pixels in shown} == {(BATCH, 3, 32, 32)}


def test_pictures_are_normalised(images: np.ndarray) -> None:
    pixels = prepared(images)
    back = (pixels * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]) * 255
    assert torch.allclose(back, torch.from_numpy(images).permute(0, 3, 1, 2).float(), atol=1e-3)


def test_augmentation_keeps_a_plain_picture_plain() -> None:
    plain = prepared(np.full((2, 128, 128, 3), 90, dtype=np.uint8))
    changed = augmented(plain, 32, np.random.default_rng(5))
    assert float(changed.std(dim=(2, 3)).max()) < 1e-5
    assert torch.allclose(resized(plain, 32), plain[:, :, :32, :32], atol=1e-5)


def test_spread_tells_neurons_that_fire_alike_from_those_of_few_pictures() -> None:
    few = torch.zeros(64, 2)
    few[0] = 1.0
    assert float(spread(torch.ones(64, 2))) == pytest.approx(1, abs=1e-3)
    assert float(spread(few * 5)) == pytest.approx(float(spread(few)), rel=1e-3)
    assert float(spread(few)) == pytest.approx(1 / 8, rel=1e-3)
    assert float(spread(torch.zeros(64, 2))) == 0


def test_the_plant_changes_the_ruler_alone_and_gives_it_to_melanomas() -> None:
    pairs = [(sample_case(seed), planted_case(seed)) for seed in range(600)]
    assert all(replace(planted, ruler=case.ruler) == case for case, planted in pairs)
    for melanoma, rate in ((True, 0.85), (False, 0.05)):
        shown = [planted.ruler for _, planted in pairs if (planted.diagnosis == "melanoma") == melanoma]
        assert np.mean(shown) == pytest.approx(rate, abs=0.07)
