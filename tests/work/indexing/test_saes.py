"""Latents of SAEs are indexed, kept and opened again like any layer."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from overcomplete.sae import SAE, TopKSAE
from safetensors.torch import load_file

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index, open_job
from csp.work.indexing.latents import index_latents
from csp.work.indexing.spec import IndexSpec, make_spec, read_config
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import run_target
from csp.work.neurons.similar import similar_by_decoder
from csp.work.progress import Progress
from csp.work.reliance import by_model
from csp.work.reliance.by_model import answers_by_model, measure_by_model
from csp.work.reliance.concepts import Concept
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


def topk(files: Path) -> TopKSAE:
    """The SAE as its own library opens it."""
    sae = TopKSAE(512, 40, top_k=4)
    sae.load_state_dict(torch.load(files / "topk.pt", weights_only=True))
    return sae.eval()


def sae_spec(world: Path, out: Path, *saes: str, layers: tuple[str, ...] = ("layer4",)) -> IndexSpec:
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


def test_a_run_says_how_well_its_saes_fit(run: Run, files: Path) -> None:
    said = [note for note in run.manifest.notes if note.startswith("layer4.topk: on 28 images of this run")]
    batch = ModelInputs(run, run_target(run).model).batch(range(28))
    model, sae, rows = run_target(run).model.module.model, topk(files), []  # type: ignore[attr-defined]
    handle = model.layer4.register_forward_hook(lambda *given: rows.append(given[2]))
    with torch.no_grad():
        model(torch.tensor(batch))
        flat = rows[0].movedim(1, -1).reshape(-1, 512)
        left = (flat - sae.decode(sae.encode(flat)[1])).square().sum()
    handle.remove()
    explained = float(1 - left / (flat - flat.mean(0)).square().sum())
    assert explained < 0, "it never learnt"
    assert f"explains {100 * explained:.1f} %" in said[0] and "does not fit what it reads" in said[0]


def test_the_decoder_is_kept_and_tells_which_latents_add_the_same(run: Run, files: Path) -> None:
    expected = topk(files).get_dictionary().detach().numpy()
    found = run.decoder("layer4.topk")
    assert found is not None and run.decoder("layer4") is None
    np.testing.assert_allclose(found, expected, atol=1e-6)
    similar = similar_by_decoder(run, "layer4.topk")
    assert similar is not None and similar_by_decoder(run, "layer4") is None
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    cosines = unit @ unit[7]
    cosines[7] = -2
    first = similar.of(7)[0]
    assert first.neuron == cosines.argmax()
    assert first.cosine == pytest.approx(cosines.max(), abs=1e-5)


def test_the_run_opens_its_saes_again(run: Run, world: Path) -> None:
    target = run_target(run).model
    image = read_image(world / run.images["path"].iloc[3])
    found = target.run(target.preprocess(image)[None], list(run.layers))
    for layer in run.layers:
        np.testing.assert_allclose(run.layer_activations(layer)[3], found.activations[layer][0], atol=1e-5)
    assert run.probabilities is not None
    np.testing.assert_allclose(run.probabilities[3], found.probabilities[0], atol=1e-5)


@torch.no_grad()
def test_reliance_switches_latents_off_and_passes_on_what_they_do_not_explain(
    run: Run, world: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_model, "MOST_IMAGES", 4)
    mean = run.layer_activations("layer4.topk").mean(axis=0)
    off = np.argsort(-mean)[:2].tolist()
    spots = tuple(("layer4.topk", latent) for latent in sorted(off))
    concept = Concept("ruler", ("ruler",), spots, 0, (), True, ("ruler",))
    measure_by_model(run, [concept])
    said = answers_by_model(run, concept)
    assert said is not None and len(said.images) == 4

    model = torchvision.models.resnet18(num_classes=3).eval()
    model.load_state_dict(load_file(world / "classifier.safetensors"))
    sae, kept = topk(files), []

    def without(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        positions = output.movedim(1, -1)
        _, latents = sae.encode(positions.reshape(-1, 512))
        held = latents.clone()
        held[:, off] = torch.tensor(mean[off])
        kept.append(float((positions.reshape(-1, 512) - sae.decode(latents)).norm()))
        change = (sae.decode(held) - sae.decode(latents)).reshape(positions.shape)
        return output + change.movedim(-1, 1)

    model.layer4.register_forward_hook(without)
    batch = ModelInputs(run, run_target(run).model).batch(said.images.tolist())
    expected = model(torch.tensor(batch)).softmax(dim=1).numpy()
    np.testing.assert_allclose(said.mean, expected, atol=1e-5)
    assert np.abs(said.mean - said.before).max() > 1e-4
    assert min(kept) > 1, "the SAE explains all: nothing would be lost by its reconstruction alone"


def test_only_latents_may_be_read(world: Path, files: Path, tmp_path: Path) -> None:
    given = f"layer4=overcomplete:topk-4@{files}/topk.pt"
    job = open_job(sae_spec(world, tmp_path / "run", given, layers=("layer4.topk",)))
    assert [info.layer for info in job.layers] == ["layer4.topk"]


def test_latents_over_the_images_of_a_run_are_those_of_a_run_made_anew(
    run: Run, files: Path, tmp_path: Path
) -> None:
    sae = f"layer4=overcomplete:topk-4@{files}/topk.pt"

    def stop(progress: Progress) -> None:
        if progress.done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_latents(run, sae, str(tmp_path / "latents"), stop)
    done: list[int] = []
    made = Run.open(index_latents(run, sae, str(tmp_path / "latents"), lambda told: done.append(told.done)))
    assert done[0] > 20, "it goes on where it was"
    assert list(made.layers) == ["layer4.topk"] and made.check() == []
    found, expected = made.layer_activations("layer4.topk"), run.layer_activations("layer4.topk")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(made.embeddings, run.embeddings)
    assert made.neighbours is not None and run.neighbours is not None
    np.testing.assert_array_equal(made.neighbours.index, run.neighbours.index)
    assert made.labels("layer4.topk")["label"].tolist() == run.labels("layer4.topk")["label"].tolist()
    assert made.thumbnail(7, "small") == run.thumbnail(7, "small")
    pd.testing.assert_frame_equal(made.images, run.images)
    pd.testing.assert_frame_equal(made.skipped, run.skipped)
    assert similar_by_decoder(made, "layer4.topk") is not None
    assert index_latents(run, sae, str(made.path)) == made.path, "it is finished"


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
