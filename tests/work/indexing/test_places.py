"""Layers pooled by patch: the run keeps where each neuron fires most, and shows it without the model."""

from pathlib import Path

import numpy as np
import pytest

from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.arrays import packed_places, unpacked_places
from csp.keeping.run_folder.run import Run
from csp.work.attribution.heatmaps import heat
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import explainable, run_target
from csp.world.pictures.heatmap import patch_light
from tests.work.tiny_world import index_spec
from tests.world.pictures.test_heatmap import alpha

MODEL = "python:tests.world.misbehaving_model:tuple"


def test_the_patch_that_fired_is_kept_and_shown(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = index_spec(
        world, tmp_path / "run", model=MODEL, layers=["conv", "head"], pooling="patch", vocabulary=None
    )
    run = Run.open(index(spec))
    assert (run.layer("conv").grid, run.layer("head").grid) == ((14, 14), None)
    assert run.places("head", 0) is None
    target = run_target(run)
    maps = explainable(target).maps(ModelInputs(run, target.model).batch([0, 9]), "conv", [2])[:, 0]
    places = run.places("conv", 2)
    assert places is not None
    for image, found in zip([0, 9], maps, strict=True):
        assert run.activations("conv", 2)[image] == pytest.approx(float(found.max()), abs=1e-5)
        x, y = places[image]
        assert found[int(y * 14), int(x * 14)] == found.max()
    monkeypatch.setattr("csp.work.attribution.heatmaps.run_target", None)
    shown = heat(Explorer(run, ResultCache(tmp_path / "answers")), "conv", 2, [0, 9])
    assert shown.overlays.keys() == {0, 9}
    assert run.check() == []


def test_places_are_stored_to_a_256th() -> None:
    where = np.array([[[0.0, 0.5], [1.0, 0.25]]], np.float32)
    found = unpacked_places(packed_places(where)[0])
    np.testing.assert_allclose(found, where[0], atol=1 / 256)
    assert unpacked_places(np.array([np.nan, -5, 1e9], np.float32)).max() < 1


def test_one_patch_is_clear_and_all_else_dark() -> None:
    light = alpha(patch_light(np.array([0.25, 0.75]), (4, 4), 1.0, (200, 100)))
    assert light[int(0.75 * len(light)), int(0.25 * light.shape[1])] < 0.1
    assert light[2, -2] > 0.6
    dark = alpha(patch_light(np.array([0.25, 0.75]), (4, 4), 0.0, (200, 100)))
    assert dark.min() > 0.6
