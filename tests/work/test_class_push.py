"""Which class a neuron pushes."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from csp.keeping.home import REPOSITORY
from csp.work.class_push import class_push
from csp.work.explorer import open_explorer
from csp.work.importing import ImportSpec, import_arrays


def test_the_demos_last_layer_is_exact_and_the_one_before_is_not(own_home: Path) -> None:
    explorer = open_explorer("demo")
    found = class_push(explorer, "layer4")
    assert found is not None
    assert found.how == "exact"
    weights = load_file(REPOSITORY / "assets" / "models" / "classifier.safetensors")["fc.weight"]
    centred = (weights.astype(np.float64) - weights.mean(axis=0, dtype=np.float64)).T
    expected = centred * explorer.run.layer_activations("layer4").std(axis=0)[:, None]
    np.testing.assert_allclose(found.table.to_numpy(), expected, atol=1e-4)
    earlier = class_push(explorer, "layer3")
    assert earlier is not None
    assert earlier.how == "goes with"
    assert earlier.table.abs().max().max() <= 1


def test_it_is_kept_and_says_so(own_home: Path) -> None:
    explorer = open_explorer("demo")
    first, second = class_push(explorer, "layer4"), class_push(explorer, "layer4")
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
    assert class_push(open_explorer("bare"), "imported") is None
