"""Latents of SAEs are indexed, kept and opened again like any layer."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from overcomplete.sae import SAE, TopKSAE

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec, read_config
from csp.work.models.reopen import run_target
from csp.world.pictures.decode import read_image
from tests.work.tiny_world import index_spec


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saes")
    torch.manual_seed(0)
    torch.save(TopKSAE(512, 40, top_k=4).eval().state_dict(), folder / "topk.pt")
    torch.save(SAE(512, 24).eval().state_dict(), folder / "vanilla.pt")
    torch.save(TopKSAE(7, 40, top_k=4).eval().state_dict(), folder / "narrow.pt")
    return folder


def sae_spec(world: Path, out: Path, *saes: str, layers: tuple[str, ...] = ("layer4",)) -> object:
    fields = index_spec(world, out).model_dump() | {"layers": layers, "saes": saes}
    return make_spec(fields)


@pytest.fixture(scope="module")
def run(world: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "latents"
    given = (f"layer4=overcomplete:topk-4@{files}/topk.pt", f"layer4=overcomplete:relu@{files}/vanilla.pt")
    return Run.open(index(sae_spec(world, out, *given)))


def test_latents_are_layers_beside_the_one_they_read(run: Run) -> None:
    assert list(run.layers) == ["layer4", "layer4.topk", "layer4.relu"]
    assert [one.neurons for one in run.manifest.layers] == [512, 40, 24]
    assert [one.sae and one.sae.layer for one in run.manifest.layers] == [None, "layer4", "layer4"]
    latents = run.layer_activations("layer4.topk")
    assert (latents >= 0).all() and 0 < (latents > 0).mean() < 0.9
    assert run.check() == []


def test_the_run_opens_its_saes_again(run: Run, world: Path) -> None:
    target = run_target(run).model
    image = read_image(world / run.images["path"].iloc[3])
    found = target.run(target.preprocess(image)[None], list(run.layers))
    for layer in run.layers:
        np.testing.assert_allclose(run.layer_activations(layer)[3], found.activations[layer][0], atol=1e-5)
    assert run.probabilities is not None
    np.testing.assert_allclose(run.probabilities[3], found.probabilities[0], atol=1e-5)


def test_only_latents_may_be_read(world: Path, files: Path, tmp_path: Path) -> None:
    given = f"layer4=overcomplete:topk-4@{files}/topk.pt"
    made = Run.open(index(sae_spec(world, tmp_path / "run", given, layers=("layer4.topk",))))
    assert list(made.layers) == ["layer4.topk"]


def test_an_sae_that_changed_is_told(run: Run, files: Path) -> None:
    own = Run.open(run.path)
    shutil.copy(files / "vanilla.pt", files / "kept.pt")
    try:
        torch.save(SAE(512, 24).eval().state_dict(), files / "vanilla.pt")
        run_target.__globals__["_target"].cache_clear()
        with pytest.raises(UnavailableError, match="other weights now"):
            run_target(own)
        (files / "vanilla.pt").unlink()
        with pytest.raises(UnavailableError, match=r"the run's SAE relu SAE .* can't be opened here"):
            run_target(own)
    finally:
        shutil.move(files / "kept.pt", files / "vanilla.pt")


def test_what_does_not_fit_is_a_sentence(world: Path, files: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="reads 7 numbers a position, and the layer gives 512"):
        index(sae_spec(world, tmp_path / "run", f"layer4=overcomplete:topk-4@{files}/narrow.pt"))
    with pytest.raises(NotFoundError, match="no layer 'layer9'"):
        index(sae_spec(world, tmp_path / "run", f"layer9=overcomplete:topk-4@{files}/topk.pt"))
    with pytest.raises(BadInputError, match="write LAYER=SPEC"):
        sae_spec(world, tmp_path / "run", f"overcomplete:topk-4@{files}/topk.pt")
    assert not (tmp_path / "run").exists()


def test_paths_of_saes_in_a_config_are_relative_to_it(files: Path) -> None:
    (files / "config.yaml").write_text("saes: layer4=overcomplete:topk-4@topk.pt\n")
    assert read_config(files / "config.yaml")["saes"] == [f"layer4=overcomplete:topk-4@{files}/topk.pt"]
