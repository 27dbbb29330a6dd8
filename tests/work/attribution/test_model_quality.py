"""How good the model is, from the labels of the probe images."""

import pandas as pd
import pytest

from csp.keeping.run_folder.run import Run
from csp.work.attribution.model_quality import model_quality
from csp.work.splits import held_out


def test_it_counts_the_held_out_images_that_have_a_label(tiny_run: Run) -> None:
    rows, part = held_out(tiny_run)
    images = tiny_run.images[rows]
    name = tiny_run.manifest.classes[0]
    found = model_quality(tiny_run, name.upper())
    assert found is not None
    assert (found.part, found.images) == (part, images["label"].notna().sum())
    assert found.accuracy == pytest.approx((images["label"] == images["prediction"]).mean())
    assert found.called == (images["prediction"] == name).sum()
    assert found.right == ((images["prediction"] == name) & (images["label"] == name)).sum()


def test_without_labels_nothing_is_claimed(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_quality(tiny_run, "no class of it") is None
    bare = tiny_run.images.assign(label=pd.Series([None] * tiny_run.manifest.images, dtype=object))
    monkeypatch.setattr(Run, "images", property(lambda run: bare))
    assert model_quality(tiny_run, tiny_run.manifest.classes[0]) is None
