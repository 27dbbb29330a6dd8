"""What is shipped in assets/ is whole, small enough, and still knows the demo world it was trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torchvision.models import ResNet, resnet18
from torchvision.transforms import v2

from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import auroc
from csp.method.states import ALWAYS_ON_SHARE
from csp.work.metrics.ground_truth import attribute_table
from csp.work.models.interventions import intervention_table
from csp.work.splits import held_out
from csp.world.dermoscopy.attributes import (
    ATTRIBUTES,
    DIAGNOSES,
    PLANTED,
    Case,
    sample_case,
    with_attribute,
)
from csp.world.dermoscopy.render import render
from csp.world.dermoscopy.terms import names, vocabulary_csv, vocabulary_text
from csp.world.protocols.templates import TEMPLATES

ASSETS = Path(__file__).parents[1] / "assets"
CLASSIFIER = ASSETS / "models" / "classifier.safetensors"
CLIP_FOLDER = ASSETS / "models" / "clip"
SEEDS = range(2_000_000, 2_000_300)  # never trained on, never in the demo run


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [sample_case(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def pictures(cases: list[Case]) -> list[Image.Image]:
    return [render(case, 192) for case in cases]


@pytest.fixture(scope="module")
def classifier() -> ResNet:
    model = resnet18(num_classes=len(DIAGNOSES))
    model.load_state_dict(load_file(CLASSIFIER))
    return model.eval()


@pytest.fixture(scope="module")
def metadata() -> dict[str, str]:
    with safe_open(CLASSIFIER, "pt") as file:
        return file.metadata()


@pytest.fixture(scope="module")
def clip() -> CLIP:
    return open_clip.create_model(f"local-dir:{CLIP_FOLDER}").eval()


def preparation(metadata: dict[str, str]) -> v2.Compose:
    size = int(metadata["input_size"])
    return v2.Compose(
        [
            v2.Resize((size, size)),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(json.loads(metadata["mean"]), json.loads(metadata["std"])),
        ]
    )


def embedded(clip: CLIP, text: str) -> torch.Tensor:
    tokens = open_clip.get_tokenizer(f"local-dir:{CLIP_FOLDER}")(
        [template.format(text) for template in TEMPLATES]
    )
    return torch.nn.functional.normalize(clip.encode_text(tokens, normalize=True).mean(0), dim=0)


def test_vocabulary_files_agree_with_their_source() -> None:
    assert (ASSETS / "vocabularies" / "dermoscopy.txt").read_text() == vocabulary_text()
    assert (ASSETS / "vocabularies" / "dermoscopy.terms.csv").read_text() == vocabulary_csv()


def test_models_are_small() -> None:
    files = [CLASSIFIER, *CLIP_FOLDER.iterdir()]
    assert sum(file.stat().st_size for file in files) < 25_000_000


def test_classifier_says_how_to_use_it(metadata: dict[str, str]) -> None:
    assert tuple(json.loads(metadata["classes"])) == DIAGNOSES
    assert int(metadata["input_size"]) > 0
    assert len(json.loads(metadata["mean"])) == len(json.loads(metadata["std"])) == 3


def test_classifier_finds_melanoma(
    classifier: ResNet, metadata: dict[str, str], cases: list[Case], pictures: list[Image.Image]
) -> None:
    prepare = preparation(metadata)
    with torch.inference_mode():
        scores = classifier(torch.stack([prepare(picture) for picture in pictures])).softmax(1)[:, 0]
    true = np.array([case.diagnosis == "melanoma" for case in cases])
    assert auroc(scores.numpy(), true) >= 0.88


def test_the_classifier_falls_for_what_is_planted(
    classifier: ResNet, metadata: dict[str, str], cases: list[Case]
) -> None:
    prepare = preparation(metadata)
    for attribute, diagnosis in PLANTED.items():
        switched = [with_attribute(case, attribute, on) for case in cases[:30] for on in (True, False)]
        with torch.inference_mode():
            scores = classifier(torch.stack([prepare(render(case, 192)) for case in switched])).softmax(1)
        drawn_in = (scores[::2] - scores[1::2]).mean(0)
        assert drawn_in[DIAGNOSES.index(diagnosis)] > 0.1, attribute
        assert int(drawn_in.argmax()) == DIAGNOSES.index(diagnosis), attribute


def test_neurons_of_the_demo_follow_what_is_planted_and_few_are_always_on() -> None:
    run = Run.open(ASSETS / "runs" / "demo")
    auroc_of, moved = attribute_table(run, "layer4", held_out(run)[0]), intervention_table(run, "layer4")
    assert moved is not None
    for attribute in PLANTED:
        column = run.attributes.index(attribute)
        assert (auroc_of[:, column] >= 0.85).sum() >= 5, attribute
        assert (auroc_of[:, column] >= 0.95).any(), attribute
        assert (moved[:, column] >= 0.95).any(), attribute
    assert np.mean((run.layer_activations("layer4") > 0).mean(0) >= ALWAYS_ON_SHARE) < 0.1


def test_clip_finds_attributes(clip: CLIP, cases: list[Case], pictures: list[Image.Image]) -> None:
    prepare = open_clip.create_model_and_transforms(f"local-dir:{CLIP_FOLDER}")[2]
    with torch.inference_mode():
        images = clip.encode_image(torch.stack([prepare(picture) for picture in pictures]), normalize=True)
        found = {
            name: auroc(
                (images @ torch.stack([embedded(clip, text) for text in names(name)]).mean(0)).numpy(),
                np.array([case.flags()[name] for case in cases]),
            )
            for name in ATTRIBUTES
        }
    assert np.mean(list(found.values())) >= 0.88, found


@pytest.mark.parametrize("text", ["", "hairs", "Ünïcode 東京 🙂", "word " * 100])
def test_any_text_has_an_embedding(clip: CLIP, text: str) -> None:
    with torch.inference_mode():
        vector = embedded(clip, text)
    assert torch.isfinite(vector).all()
    assert float(vector.norm()) == pytest.approx(1, abs=1e-5)


def test_report_is_of_the_shipped_models() -> None:
    report = json.loads((ASSETS / "models" / "report.json").read_text())
    assert report["classifier"]["auroc_vs_rest"]["melanoma"] >= 0.95
    assert report["clip"]["mean"] >= 0.9
    moved = {
        name: change["melanoma"] for name, change in report["classifier"]["change_when_drawn_in"].items()
    }
    assert moved["ruler"] > 0.1
    assert moved["sticker"] < -0.1
    assert all(abs(change) < 0.05 for name, change in moved.items() if name not in PLANTED)
    assert report["classifier"]["renderer"] == report["clip"]["renderer"]
    assert set(report["clip"]["zero_shot_auroc"]) == set(ATTRIBUTES)
