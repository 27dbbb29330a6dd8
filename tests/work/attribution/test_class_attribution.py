"""Which class a neuron pushes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from csp.keeping.bundle import ASSETS
from csp.keeping.library.find import find_run
from csp.work.attribution.class_attribution import class_attribution
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.indexing.import_arrays import ImportSpec, import_arrays


@pytest.fixture
def unmeasured(tmp_path: Path) -> Explorer:
    """The demo without the pushes that were measured with the model."""
    without = shutil.ignore_patterns("additions", "thumbnails.bin")
    return open_explorer(str(shutil.copytree(find_run("demo"), tmp_path / "demo", ignore=without)))


def test_the_head_is_told_from_stored_numbers_and_agrees_with_the_model(
    own_home: Path, unmeasured: Explorer
) -> None:
    told, measured = (
        class_attribution(unmeasured, "layer4"),
        class_attribution(open_explorer("demo"), "layer4"),
    )
    assert told is not None
    assert measured is not None
    assert (told.how, measured.how) == ("exact", "exact")
    np.testing.assert_allclose(told.table.to_numpy(), measured.table.to_numpy(), atol=1e-4)
    weights = load_file(ASSETS / "models" / "classifier.safetensors")["fc.weight"]
    centred = (weights.astype(np.float64) - weights.mean(axis=0, dtype=np.float64)).T
    expected = centred * unmeasured.run.layer_activations("layer4").std(axis=0)[:, None]
    np.testing.assert_allclose(told.table.to_numpy(), expected, atol=1e-4)


def test_what_was_not_measured_is_not_told(own_home: Path, unmeasured: Explorer) -> None:
    measured = class_attribution(open_explorer("demo"), "layer3")
    assert class_attribution(unmeasured, "layer3") is None
    assert measured is not None
    assert measured.how == "slope"


def test_it_is_kept_and_says_so(own_home: Path, unmeasured: Explorer) -> None:
    first, second = class_attribution(unmeasured, "layer4"), class_attribution(unmeasured, "layer4")
    assert first is not None
    assert second is not None
    assert (first.provenance.source, second.provenance.source) == ("computed", "cached")
    pushes = second.of(7)
    assert list(pushes.values()) == sorted(pushes.values(), reverse=True)
    assert second.most.loc[7] == next(iter(pushes))


def test_a_run_without_classes_has_none(own_home: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, columns in (("activations", 3), ("embeddings", 4)):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(20, columns)).astype(np.float32))
    import_arrays(ImportSpec(tmp_path / "activations.npy", tmp_path / "embeddings.npy", "bare"))
    assert class_attribution(open_explorer("bare"), "imported") is None
