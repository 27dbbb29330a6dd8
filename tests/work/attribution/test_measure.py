"""Attribution measured with the model, kept with the run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from csp.errors import BadInputError, UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.attribution import centred_logits
from csp.work.attribution import measure
from csp.work.attribution.class_attribution import (
    CLASS_ATTRIBUTION,
    ClassAttribution,
    class_attribution,
    images_of,
)
from csp.work.attribution.measure import measure_attribution
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.jobs.kinds.attribution import faults, run
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import run_target
from csp.work.progress import Progress
from csp.world.torch_models.target import TorchTarget
from tests.work.tiny_world import index_spec


@pytest.fixture(scope="module")
def pushed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny world with a layer before and one at the linear head."""
    spec = index_spec(world, tmp_path_factory.mktemp("pushed") / "run", layers=["layer3", "layer4"])
    return Run.open(index(spec))


def told(run: Run, layer: str, home: Path) -> ClassAttribution:
    found = class_attribution(Explorer(run, ResultCache(home / "answers")), layer)
    assert found is not None
    return found


def test_index_measures_it_and_leaves_the_runs_numbers_alone(
    pushed: Run, world: Path, tmp_path: Path
) -> None:
    last, earlier = told(pushed, "layer4", tmp_path), told(pushed, "layer3", tmp_path)
    assert (last.how, earlier.how) == ("exact", "slope")
    assert last.provenance.source == "precomputed"
    weights = load_file(world / "classifier.safetensors")["fc.weight"].T.astype(np.float64)
    centred = weights - weights.mean(axis=1, keepdims=True)
    deviation = pushed.layer_activations("layer4").std(axis=0)
    np.testing.assert_allclose(last.table.to_numpy(), centred * deviation[:, None], atol=1e-5)
    np.testing.assert_allclose(earlier.table.sum(axis=1), 0, atol=1e-5)
    assert earlier.table.abs().to_numpy().max() > 0
    assert Run.open(pushed.path).check() == []


def test_the_model_tells_weights_that_the_stored_numbers_can_not(pushed: Run, tmp_path: Path) -> None:
    """There are 512 neurons and 56 images."""
    copy = Run.open(
        shutil.copytree(pushed.path, tmp_path / "copy", ignore=shutil.ignore_patterns(CLASS_ATTRIBUTION.name))
    )
    assert class_attribution(Explorer(copy, ResultCache(tmp_path / "answers")), "layer4") is None
    assert measure_attribution(copy, ["layer4"]) == {"layer4": "exact"}
    assert told(copy, "layer4", tmp_path).how == "exact"


def test_a_stopped_job_measures_what_is_missing(pushed: Run, world: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(
        pushed.path, tmp_path / "run", ignore=shutil.ignore_patterns(CLASS_ATTRIBUTION.name)
    )
    spec = index_spec(world, copy, layers=["layer3", "layer4"])
    index(spec)
    additions = Additions(Run.open(copy))
    assert additions.read(CLASS_ATTRIBUTION)["layer"].value_counts().to_dict() == {
        "layer3": 256,
        "layer4": 512,
    }
    before = additions.version(CLASS_ATTRIBUTION)
    index(spec)
    assert additions.version(CLASS_ATTRIBUTION) == before


def test_a_slope_promises_what_one_standard_deviation_more_does(pushed: Run, tmp_path: Path) -> None:
    """Twin: the model run again with each neuron's whole map one standard deviation higher."""
    table, target = told(pushed, "layer3", tmp_path).table.to_numpy(), run_target(pushed)
    batch = ModelInputs(pushed, target.model).batch(images_of(pushed).tolist())
    deviation, neurons = pushed.layer_activations("layer3").std(axis=0), range(0, 256, 16)
    assert isinstance(target.model, TorchTarget)
    layer = target.model.module.get_submodule("layer3")
    before, found = centred_logits(target.model.run(batch, []).probabilities), []
    for neuron in neurons:
        more = torch.zeros(256, 1, 1)
        more[neuron] = float(deviation[neuron])
        handle = layer.register_forward_hook(lambda _module, _inputs, output, more=more: output + more)
        found.append((centred_logits(target.model.run(batch, []).probabilities) - before).mean(axis=0))
        handle.remove()
    assert np.corrcoef(np.ravel(found), table[list(neurons)].ravel())[0, 1] > 0.98


def test_a_stopped_measurement_goes_on_where_it_was(
    pushed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Run.open(
        shutil.copytree(pushed.path, tmp_path / "copy", ignore=shutil.ignore_patterns(CLASS_ATTRIBUTION.name))
    )
    monkeypatch.setattr(measure, "SECONDS_TO_KEEP", 0.0)
    steps: list[Progress] = []

    def stop(progress: Progress) -> None:
        steps.append(progress)
        if progress.done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_attribution(copy, ["layer3"], stop)
    assert class_attribution(Explorer(copy, ResultCache(tmp_path / "answers")), "layer3") is None
    assert measure_attribution(copy, ["layer3"], steps.append) == {"layer3": "slope"}
    assert [one.done for one in steps] == [0, 4, 8, *range(8, 57, 4)]
    whole = told(pushed, "layer3", tmp_path).table
    np.testing.assert_allclose(told(copy, "layer3", tmp_path).table, whole, atol=1e-5)
    assert measure_attribution(copy, ["layer3"], steps.append) == {"layer3": "slope"}
    assert steps[-1].done == 56


def test_the_job(pushed: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(
        pushed.path, tmp_path / "copy", ignore=shutil.ignore_patterns(CLASS_ATTRIBUTION.name)
    )
    assert faults({"run": str(copy)}) == {}
    assert run({"run": str(copy), "layer": "layer4"}, lambda progress: None) == "copy"
    assert set(Additions(Run.open(copy)).read(CLASS_ATTRIBUTION)["layer"]) == {"layer4"}


def test_what_is_missing_is_said(tiny_run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="target model"):
        measure_attribution(tiny_run, ["late"])
    bare = tiny_run.manifest.model_copy(update={"classes": ()})
    with pytest.raises(BadInputError, match="no classes"):
        measure_attribution(Run(tiny_run.path, bare), ["late"])
