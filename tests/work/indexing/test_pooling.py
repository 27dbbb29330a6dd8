"""Each layer of a run is pooled as its spec says."""

from math import ceil
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from csp.work.models.reopen import explainable, run_target
from csp.world.pictures.decode import read_image
from tests.work.tiny_world import index_spec


def test_each_layer_is_pooled_as_the_spec_says_and_the_run_remembers(world: Path, tmp_path: Path) -> None:
    spec = index_spec(
        world, tmp_path / "run", layers=["layer1", "layer2"], pooling="mean, layer2=quantile:0.9"
    )
    run = Run.open(index(spec))
    assert [one.pooling for one in run.manifest.layers] == ["mean", "quantile:0.9"]
    target = run_target(run)
    picture = target.model.preprocess(read_image(world / run.images["path"][0]))[None]
    maps = explainable(target).maps(picture, "layer2", range(5)).reshape(5, -1)
    expected = np.sort(maps, axis=1)[:, ceil(0.9 * maps.shape[1]) - 1]
    assert np.allclose(run.layer_activations("layer2")[0, :5], expected, atol=1e-4)
    plain = Run.open(index(index_spec(world, tmp_path / "plain", layers=["layer1", "layer2"])))
    assert np.array_equal(plain.layer_activations("layer1"), run.layer_activations("layer1"))
    assert plain.fingerprint != run.fingerprint


def test_a_pooling_of_a_layer_that_is_not_read_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="pooling names the layer 'layer3', which is not read"):
        index(index_spec(world, tmp_path / "run", layers=["layer1"], pooling="layer3=max"))
