import multiprocessing
import random
import signal
import time
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import select_examples
from csp.method.labelers.clip_dissect import layer_prior
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.registry import LABELERS
from csp.work.indexing.index import NO_VOCABULARY, index
from csp.work.indexing.spec import IndexSpec
from csp.work.progress import Progress
from csp.work.splits import selection
from csp.world.pictures.decode import read_image
from csp.world.protocols.encoder import open_encoder
from csp.world.protocols.target import TargetOutput, open_target
from csp.world.torch_models.encoder import TorchEncoder
from csp.world.torch_models.target import TorchTarget
from tests.work.tiny_world import BROKEN, GOOD, index_spec


def test_the_numbers_are_those_of_the_models(indexed: Run, world: Path) -> None:
    target = open_target(indexed.manifest.target.spec)
    encoder = open_encoder(indexed.manifest.encoder.spec)
    row = indexed.images.iloc[20]
    image = read_image(world / row["path"])
    output = target.run(target.preprocess(image)[None], list(indexed.layers))
    for layer in indexed.layers:
        np.testing.assert_allclose(
            indexed.layer_activations(layer)[20], output.activations[layer][0], atol=1e-5
        )
    embedding = encoder.embed_images(encoder.preprocess(image)[None])[0]
    np.testing.assert_allclose(indexed.embeddings[20], embedding, atol=1e-5)
    assert indexed.probabilities is not None
    np.testing.assert_allclose(indexed.probabilities[20], output.probabilities[0], atol=1e-5)
    assert row["prediction"] == target.classes[output.probabilities[0].argmax()]
    assert (row["width"], row["height"]) == image.size
    assert indexed.text_embeddings is not None
    texts = encoder.embed_texts(["a hair"], ["{}", "a photo of {}"])
    np.testing.assert_allclose(indexed.text_embeddings[1], texts[0], atol=1e-5)


def test_broken_images_are_listed_with_a_reason(indexed: Run) -> None:
    assert len(indexed.images) == GOOD
    assert sorted(indexed.skipped["path"]) == sorted(BROKEN)
    assert indexed.skipped["reason"].str.len().min() > 10
    assert indexed.check() == []


def test_attributes_and_splits_are_kept(indexed: Run) -> None:
    assert indexed.attributes == ("ruler", "hairs")
    assert indexed.images["ruler"].sum() == GOOD // 2
    assert set(indexed.images["split"]) == {"", "held-out"}


def test_precomputed_answers_are_those_of_the_method(indexed: Run) -> None:
    layer = indexed.layers[1]
    texts = list(indexed.vocabulary["text"])
    prior = layer_prior(indexed.activation_blocks(layer), indexed.embeddings, indexed.text_embeddings)
    for neuron in (0, 5, 17):
        activations = indexed.activations(layer, neuron)
        expected = select_examples(activations, indexed.embeddings, 6)
        stored = indexed.examples(layer, neuron)
        assert stored is not None
        np.testing.assert_array_equal(stored.activating, expected.activating)
        np.testing.assert_array_equal(stored.contrastive, expected.contrastive)
        labels = indexed.labels(layer).query("neuron == @neuron")
        for name, labeler in LABELERS.items():
            rows = labels[labels["labeler"] == name]
            scores = labeler(
                Evidence(
                    activations,
                    indexed.embeddings,
                    expected,
                    selection=selection(indexed),
                    layer_prior=prior,
                ),
                indexed.text_embeddings,
                1.0,
            )
            assert list(rows["rank"]) == list(range(1, 6))
            # Consensus: cosines of single precision, in standard deviations of a hundredth.
            close = {"atol": 1e-5 if name == "consensus" else 1e-6}
            np.testing.assert_allclose(rows["score"], np.sort(scores)[::-1], **close)
            named = scores[[texts.index(text) for text in rows["label"]]]
            np.testing.assert_allclose(named, rows["score"], **close)


def test_progress_counts_every_image_text_and_neuron(
    indexed: Run, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    monkeypatch.setattr("csp.work.indexing.index.TEXTS_AT_ONCE", 2)
    run = Run.open(index(index_spec(world, tmp_path / "run"), seen.append))
    np.testing.assert_allclose(run.text_embeddings, indexed.text_embeddings, atol=1e-6)
    texts = len(run.vocabulary)
    assert [one.done for one in seen if one.stage == "texts"] == [*range(2, texts, 2), texts]
    last = {progress.stage: progress for progress in seen}
    assert all(progress.done == progress.total for progress in last.values())
    assert last["images"].total == GOOD + len(BROKEN)
    assert list(last) == [
        "checking files",
        "images",
        "texts",
        "neighbours",
        "neurons of layer1",
        "neurons of layer2.0.bn1",
        "attribution of layer1",
        "attribution of layer2.0.bn1",
        "control of layer1",
        "control of layer2.0.bn1",
        "chances of layer1",
        "chances of layer2.0.bn1",
    ]


def test_without_a_vocabulary_the_run_says_so(unlabelled: Run) -> None:
    assert unlabelled.manifest.notes == (NO_VOCABULARY,)
    assert unlabelled.labels("layer1").empty
    assert len(unlabelled.neurons("layer1")) == 64


def test_names_given_in_the_spec_are_what_the_run_says(world: Path, tmp_path: Path) -> None:
    run = Run.open(index(index_spec(world, tmp_path / "run", names={"data": "drawn shapes"})))
    assert run.manifest.dataset.name == "drawn shapes"
    assert run.manifest.target.name == "resnet18 (classifier)"


def test_a_finished_run_is_left_alone_and_another_spec_refused(indexed: Run, world: Path) -> None:
    before = (indexed.path / "manifest.json").stat().st_mtime_ns
    assert index(index_spec(world, indexed.path)) == indexed.path
    assert (indexed.path / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(BadInputError, match="examples was 6, now 5"):
        index(index_spec(world, indexed.path, k=5))


def test_an_unknown_layer_is_named_before_any_work(world: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no layer 'layr2'.*layer2"):
        index(index_spec(world, tmp_path / "run", layers=["layr2"]))
    with pytest.raises(BadInputError, match="named twice"):
        index(index_spec(world, tmp_path / "run", layers=["layer1", "layer1"]))
    assert not list(tmp_path.glob("run*"))


def test_killed_at_random_moments_it_ends_with_the_same_run(world: Path, tmp_path: Path) -> None:
    """With models of a few lines of NumPy: what is kept, and what is done again, is not up to them. They wait
    at a gate, so that no process gets to its end before it is killed among its images."""
    gate = tmp_path / "go"
    light = gated(tmp_path)
    out = tmp_path / "killed"
    chance = random.Random()
    kills = 0
    for batches, assembling in ((chance.randint(0, 4), 0), (chance.randint(5, 10), 0), (0, 1)):
        gate.write_text("x" * (1000 if assembling else batches + 1))
        process = indexing(index_spec(world, out, **light))
        while process.is_alive() and not reached(tmp_path / "killed.partial", batches, assembling):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    assert kills >= 2
    whole = Run.open(index(index_spec(world, tmp_path / "whole", **light)))
    killed = Run.open(index(index_spec(world, out, **light)))
    assert killed.fingerprint == whole.fingerprint
    assert killed.check() == []
    np.testing.assert_array_equal(killed.layer_activations("colour"), whole.layer_activations("colour"))
    np.testing.assert_array_equal(killed.embeddings, whole.embeddings)
    assert not (tmp_path / "killed.partial").exists()


def test_of_two_processes_that_index_one_run_the_second_refuses(world: Path, tmp_path: Path) -> None:
    (tmp_path / "go").write_text("xx")
    spec = index_spec(world, tmp_path / "run", **gated(tmp_path))
    first = indexing(spec)
    try:
        while first.is_alive() and not reached(tmp_path / "run.partial", 2, 0):
            time.sleep(0.002)
        refused = rf"another process \({first.pid}\) is writing .*run.partial: wait for it or choose another"
        with pytest.raises(UnavailableError, match=refused):
            index(spec)
    finally:
        first.kill()
        first.join()
    (tmp_path / "go").write_text("x" * 1000)
    assert Run.open(index(spec)).check() == []
    batches = -(-(GOOD + len(BROKEN)) // 4)
    assert (tmp_path / "passed").read_text() == "x" * batches, "what the first had kept is made again"


def gated(gate: Path) -> dict[str, object]:
    """Fields of a spec with models that wait at this gate."""
    own = f"python:tests.work.gated:{gate}"
    return {"model": own, "encoder": own, "layers": ["colour"], "batch_size": 4}


def indexing(spec: IndexSpec) -> ForkServerProcess:
    """A process of its own that makes a run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["csp.work.indexing.index", "tests.work.gated"])
    process = context.Process(target=index, args=(spec,))
    process.start()
    return process


def reached(staging: Path, batches: int, assembling: int) -> bool:
    """Whether a job has that many batches, or has begun to put the run together."""
    if assembling:
        return (staging / "run" / "tables").exists()
    return staging.exists() and len(list(staging.glob("rows-*.safetensors"))) >= batches


def test_what_is_to_be_known_of_a_model_is_noted_in_the_run(world: Path, tmp_path: Path) -> None:
    state = load_file(world / "classifier.safetensors")
    raw = {"model." + key: value for key, value in state.items()}
    torch.save({"state_dict": raw | {"criterion.pos_weight": torch.ones(3)}}, tmp_path / "last.ckpt")
    model = f"torchvision:resnet18@{tmp_path / 'last.ckpt'}"
    run = Run.open(index(index_spec(world, tmp_path / "run", model=model)))
    assert sum("'criterion.pos_weight'" in note for note in run.manifest.notes) == 1


@pytest.mark.parametrize("part", ["layer1", "the target model", "the encoder"])
def test_values_that_are_no_numbers_stop_the_job(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def nan_on_second(values: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(values))[:, None] == 1, np.float32("nan"), values)

    run, embed = TorchTarget.run, TorchEncoder.embed_images

    def broken_run(self: TorchTarget, batch: np.ndarray, layers: list[str]) -> TargetOutput:
        found = run(self, batch, layers)
        if part == "layer1":
            return replace(
                found, activations=found.activations | {part: nan_on_second(found.activations[part])}
            )
        return replace(found, probabilities=nan_on_second(found.probabilities))

    if part == "the encoder":
        monkeypatch.setattr(
            TorchEncoder, "embed_images", lambda self, batch: nan_on_second(embed(self, batch))
        )
    else:
        monkeypatch.setattr(TorchTarget, "run", broken_run)
    with pytest.raises(BadInputError, match=rf"{part}.* not numbers .* for images/01.png"):
        index(index_spec(world, tmp_path / "run"))


@pytest.mark.parametrize("count", [1, 3])
def test_one_picture_or_the_same_one_again_and_again(world: Path, tmp_path: Path, count: int) -> None:
    (tmp_path / "same").mkdir()
    for number in range(count):
        (tmp_path / f"same/{number}.png").write_bytes((world / "images/00.png").read_bytes())
    run = Run.open(index(index_spec(world, tmp_path / "run", data=f"folder:{tmp_path / 'same'}")))
    assert len(run.images) == count and run.check() == []
    assert np.ptp(run.activations(run.layers[0], 0)) < 1e-5
    assert run.examples(run.layers[0], 0) is not None
