"""One picture through the model, with real tiny models."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from csp.errors import CspError, NotFoundError, UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.attribution.class_attribution import class_attribution
from csp.work.attribution.heatmaps import heat, lit_pictures
from csp.work.attribution.predictions import read_picture, try_picture, try_probe_image
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.models.probe_images import ProbeImages
from tests.build import draw
from tests.odd_runs import OddRun, build
from tests.world.pictures.test_heatmap import alpha


@pytest.fixture
def real(indexed: Run, tmp_path: Path) -> Explorer:
    return Explorer(indexed, ResultCache(tmp_path / "answers"))


@pytest.fixture
def stored_only(tiny_run: Run, tmp_path: Path) -> Explorer:
    """A run whose models and image files are not here."""
    return Explorer(tiny_run, ResultCache(tmp_path / "answers"))


def row_of(run: Run, path: str) -> int:
    return int(np.flatnonzero(run.images["path"] == path)[0])


def test_an_upload_and_the_same_probe_image_agree(real: Explorer) -> None:
    uploaded = try_picture(real, "layer1", draw(7))
    image = row_of(real.run, "images/07.png")
    stored = try_probe_image(real, "layer1", image)
    assert [name for name, _ in uploaded.prediction] == [name for name, _ in stored.prediction]
    assert uploaded.prediction[0][0] == real.run.images["prediction"].iloc[image]
    assert uploaded.how == stored.how == "gradient"
    for column in ("activation", "contribution"):
        np.testing.assert_allclose(uploaded.neurons[column], stored.neurons[column], atol=1e-5)
    activations = real.run.layer_activations("layer1")
    expected = (activations < activations[image]).mean(axis=0)
    np.testing.assert_allclose(stored.neurons["percentile"], expected, atol=1e-9)


def test_contributions_of_a_probe_image_are_kept(real: Explorer) -> None:
    first, before = try_probe_image(real, "layer1", 3), real.cache.results.bytes_used()
    again = try_probe_image(real, "layer1", 3)
    assert first.neurons.equals(again.neurons)
    assert real.cache.results.bytes_used() == before


def test_at_a_linear_head_the_run_alone_tells_them(own_home: Path) -> None:
    explorer = open_explorer("demo")
    found = try_probe_image(explorer, "layer4", 12)
    assert found.how == "exact"
    probabilities = explorer.run.probabilities
    assert probabilities is not None
    logits = np.log(probabilities.astype(np.float64))
    centred = logits - logits.mean(axis=1, keepdims=True)
    predicted = int(probabilities[12].argmax())
    others = [try_probe_image(explorer, "layer4", image) for image in (5, 40)]
    # The sum of contributions is the logit but for the bias, which is the same on every image.
    biases = [
        centred[image, predicted] - _sum(explorer, one.neurons["activation"].to_numpy(), predicted)
        for image, one in zip((12, 5, 40), (found, *others), strict=True)
    ]
    np.testing.assert_allclose(biases, biases[0], atol=1e-3)
    assert found.neurons["contribution"].sum() == pytest.approx(
        _sum(explorer, found.neurons["activation"].to_numpy(), predicted), abs=1e-6
    )


def _sum(explorer: Explorer, activations: np.ndarray, predicted: int) -> float:
    pushes = class_attribution(explorer, "layer4")
    assert pushes is not None
    deviation = explorer.run.layer_activations("layer4").std(axis=0, dtype=np.float64)
    return float((pushes.table.to_numpy()[:, predicted] / deviation) @ activations)


def test_without_the_model_a_probe_image_says_what_it_can(stored_only: Explorer) -> None:
    found = try_probe_image(stored_only, "late", 4)
    assert found.how is None
    assert "target model" in found.remark
    assert found.neurons["contribution"].isna().all()
    assert found.prediction[0][0] == stored_only.run.images["prediction"].iloc[4]
    with pytest.raises(NotFoundError, match="no image 40"):
        try_probe_image(stored_only, "late", 40)
    with pytest.raises(UnavailableError, match="target model"):
        try_picture(stored_only, "late", draw(1))


def test_the_file_is_read_where_it_is_and_the_stored_picture_elsewhere(
    real: Explorer, stored_only: Explorer
) -> None:
    image = row_of(real.run, "images/05.png")
    found = ProbeImages(real.run).picture(image)
    assert found.remark == ""
    assert np.array_equal(np.asarray(found.image), np.asarray(draw(5)))
    assert "stored picture, 120 px" in ProbeImages(stored_only.run).picture(1).remark


def test_a_run_without_images_says_so(tmp_path: Path) -> None:
    run = Run.open(
        build(OddRun(pictures=False, labels=(), attributes=()), tmp_path / "files", tmp_path / "run")
    )
    with pytest.raises(UnavailableError, match="was made without images"):
        ProbeImages(run).picture(0)


def test_a_file_that_became_another_picture_is_not_taken(real: Explorer, tmp_path: Path) -> None:
    root = tmp_path / "moved"
    (root / "images").mkdir(parents=True)
    table = "\n".join(["path", *real.run.images["path"]])
    (root / "images.csv").write_text(table)
    Image.new("RGB", (9, 9)).save(root / "images/05.png")
    source = real.run.manifest.dataset.model_copy(update={"spec": f"csv:{root}/images.csv"})
    run = Run(real.run.path, real.run.manifest.model_copy(update={"dataset": source}))
    assert "stored" in ProbeImages(run).picture(row_of(run, "images/05.png")).remark


def test_overlays_share_one_scale_and_are_kept(real: Explorer) -> None:
    images = [3, 8, 3]
    found = heat(real, "layer1", 5, images)
    assert list(found.overlays) == [3, 8]
    assert min(alpha(overlay).min() for overlay in found.overlays.values()) < 0.1
    assert heat(real, "layer1", 5, images).overlays == found.overlays
    with pytest.raises(NotFoundError, match="no neuron"):
        heat(real, "layer1", 10_000, images)


def test_lit_pictures_of_several_neurons(real: Explorer) -> None:
    picture = ProbeImages(real.run).picture(3)
    found = lit_pictures(real.run, "layer1", [5, 0], picture)
    assert list(found) == [5, 0]
    assert all(one.startswith(b"RIFF") for one in found.values())


def test_what_is_missing_to_show_where_is_said(stored_only: Explorer) -> None:
    with pytest.raises(UnavailableError, match="target model"):
        heat(stored_only, "late", 0, [1])


def test_an_upload_that_is_no_picture() -> None:
    with pytest.raises(CspError, match="not an image"):
        read_picture(b"hello")
