"""The model without some concepts: its checkpoint says what was foretold, or is not written."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from csp.errors import BadInputError
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.models.probe_images import ModelInputs
from csp.work.reliance.concepts import Concept
from csp.work.reliance.heads import behind_head
from csp.work.reliance.mending.cost import cost, cost_in_words
from csp.work.reliance.mending.mend import (
    RECORD,
    MendPreview,
    Why,
    foldable,
    mend_preview,
    together,
    write_mended,
)
from csp.work.subgroups import SMALL
from csp.world.protocols.target import open_target
from csp.world.torch_models.rewriting.mending import mended_state
from tests.work.reliance.conftest import MakeRun
from tests.work.tiny_world import index_spec


def concept(name: str, layer: str, *neurons: int) -> Concept:
    spots = tuple((layer, neuron) for neuron in neurons)
    return Concept(name, (name,), spots, 0, (), beside=True, attributes=())


@pytest.fixture(scope="module")
def indexed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny world with the layer that feeds the head; not to be changed."""
    return Run.open(index(index_spec(world, tmp_path_factory.mktemp("headed") / "run", layers=["layer4"])))


@pytest.fixture
def explorer(own_home: Path, indexed: Run) -> Explorer:
    return Explorer(indexed, ResultCache(result_cache_folder()))


def test_the_checkpoint_says_what_the_preview_foretold(explorer: Explorer, tmp_path: Path) -> None:
    run, out = explorer.run, tmp_path / "mended.safetensors"
    layer = run.layers[-1]
    chosen = together([concept("ruler", layer, 3, 100, 200), concept("ink", layer, 200, 511)])
    made = write_mended(explorer, chosen, out, Why("Ann", "rulers are no lesion"))
    mended, seen = open_target(made.spec), behind_head(run)
    assert seen is not None
    images = list(range(0, run.manifest.images, 5))
    found = mended.run(ModelInputs(run, mended).batch(images), []).probabilities
    np.testing.assert_allclose(found, seen.without([3, 100, 200, 511])[images], atol=1e-5)
    assert np.abs(found - seen.outputs[images]).max() > 1e-4, "it is another model"
    assert mended.classes == run.manifest.classes
    with safe_open(out, framework="pt") as file:
        inside = json.loads(file.metadata()[RECORD])
    beside = json.loads(made.record_path.read_text())
    for record in (inside, beside):
        assert (record["by"], record["reason"]) == ("Ann", "rulers are no lesion")
        assert record["neurons"] == [3, 100, 200, 511]
        assert record["source"]["hash"] == run.manifest.target.hash
        assert record["reliance"]["neurons"] == 4
        assert {"before", "after"} <= set(record["quality"])
    assert beside["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()


def test_only_the_head_changes(explorer: Explorer, tmp_path: Path) -> None:
    run, out = explorer.run, tmp_path / "mended.safetensors"
    neuron = int(run.layer_activations("layer4").mean(axis=0).argmax())
    write_mended(explorer, concept("ruler", "layer4", neuron), out)
    old = load_file(run.manifest.target.spec.partition("@")[2])
    new = load_file(out)
    assert set(old) == set(new)
    assert {name for name in old if not torch.equal(old[name], new[name])} == {"fc.weight", "fc.bias"}
    assert not new["fc.weight"][:, neuron].any()


def test_the_preview_is_told_by_any_column(explorer: Explorer) -> None:
    found = mend_preview(explorer, concept("ruler", explorer.run.layers[-1], 1, 2), "hairs")
    assert (
        [one.name for one in found.after.groups] == [one.name for one in found.before.groups] == ["no", "yes"]
    )
    assert found.after.all.n == found.before.all.n
    assert found.after != found.before


def test_what_gets_worse_is_said_with_its_numbers(explorer: Explorer) -> None:
    preview = mend_preview(explorer, concept("ruler", explorer.run.layers[-1], 1, 2), "hairs")
    now = preview.before
    same = MendPreview(now, now)
    assert cost(same) == ()
    assert "nothing gets worse" in cost_in_words(same, "ruler")
    lower = replace(now.all, accuracy=replace(now.all.accuracy, value=now.all.accuracy.value - 0.02))
    groups = tuple(
        replace(one, n=SMALL, accuracy=replace(one.accuracy, value=one.accuracy.value - 0.1 * place))
        for place, one in enumerate(now.groups)
    )
    before = replace(now, groups=tuple(replace(one, n=SMALL) for one in now.groups))
    found = MendPreview(before, replace(now, all=lower, groups=groups))
    assert [one.group for one in cost(found)] == ["", "hairs yes"]
    words = cost_in_words(found, "ruler")
    own, between = lower.accuracy, f"{lower.accuracy.low:.2f} to {lower.accuracy.high:.2f}"
    assert f"called rightly {own.value:.3f} ({between}) instead of {now.all.accuracy.value:.3f}" in words
    assert "hairs yes: called rightly" in words


def test_what_is_not_exact_is_refused(explorer: Explorer, make_run: MakeRun, tmp_path: Path) -> None:
    layer = explorer.run.layers[-1]
    with pytest.raises(BadInputError, match=r"must end in \.safetensors"):
        write_mended(explorer, concept("ruler", layer, 1), tmp_path / "mended.pth")
    with pytest.raises(BadInputError, match="only those of"):
        foldable(explorer.run, concept("ruler", "elsewhere", 1))
    with pytest.raises(BadInputError, match="no linear layer follows"):
        foldable(make_run(behind=False).run, concept("ruler", "last", 1))
    assert not list(tmp_path.glob("mended*"))


def test_a_head_without_bias_is_refused() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Flatten(), nn.Linear(12, 2, bias=False)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.head(self.body(images))
            return answer

    with pytest.raises(BadInputError, match="has no bias"):
        mended_state(Bare().eval(), torch.rand(2, 3, 2, 2), "body", "mean", [0], np.ones(1))
