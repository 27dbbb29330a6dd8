"""Image generators: the demo world's renderer, and a real diffusers pipeline in small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.world.dermoscopy import sample_case
from csp.world.generators.dermoscopy import attributes_in, diagnosis_in
from csp.world.protocols.generator import CannotDrawError, ImageGenerator, open_generator
from tests.world.tiny_pipeline import save_pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pipeline(tmp_path_factory.mktemp("pipeline") / "tiny-sd")


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Iterator[ImageGenerator]:
    yield open_generator(f"hf:{folder}")


def pixels(generator: ImageGenerator, text: str, count: int, seed: int) -> np.ndarray:
    return np.stack([np.asarray(image) for image in generator.generate(text, count, seed)])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ruler marks", [("ruler",)]),
        ("Blue-white veil with a coloured sticker", [("blue_white_veil",), ("sticker",)]),
        ("pigment network", [("typical_network", "atypical_network")]),
        ("atypical pigment network", [("atypical_network",)]),
        ("a cat on a mat", []),
    ],
)
def test_the_demo_world_finds_its_attributes_in_a_text(text: str, named: list[tuple[str, ...]]) -> None:
    assert sorted(attributes_in(text)) == sorted(named)


def test_it_draws_what_the_text_names() -> None:
    generator = open_generator("dermoscopy:drawn")
    drawn = pixels(generator, "ruler marks", 3, seed=5)
    assert drawn.shape == (3, 256, 256, 3)
    assert len(np.unique(drawn.reshape(3, -1), axis=0)) == 3
    assert (drawn == pixels(generator, "ruler marks", 3, seed=5)).all()
    assert (drawn != pixels(generator, "ruler marks", 3, seed=6)).any()


def test_a_diagnosis_is_drawn_too_and_what_does_not_exist_is_not() -> None:
    generator = open_generator("dermoscopy:drawn")
    assert diagnosis_in("malignant melanoma") == "melanoma"
    assert sample_case(1, "melanoma").diagnosis == "melanoma"
    assert pixels(generator, "melanoma", 1, seed=0).shape == (1, 256, 256, 3)
    with pytest.raises(CannotDrawError, match="no picture of 'bicycle'"):
        generator.generate("bicycle", 1, 0)
    with pytest.raises(BadInputError, match="dermoscopy:drawn"):
        open_generator("dermoscopy:painted")


def test_a_pipeline_makes_pictures_from_seeds(pipeline: ImageGenerator) -> None:
    made = pixels(pipeline, "ruler", 2, seed=3)
    assert made.shape == (2, 16, 16, 3)
    assert made.std() > 0
    assert (made[1] == pixels(pipeline, "ruler", 1, seed=4)[0]).all()
    assert (made != pixels(pipeline, "blue veil", 2, seed=3)).any()
    assert len(pipeline.weights_hash) == 64


def test_what_is_no_pipeline_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        open_generator(f"hf:{tmp_path}/missing")
    with pytest.raises(BadInputError, match=r"no model_index\.json"):
        open_generator(f"hf:{tmp_path}")
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    with pytest.raises(BadInputError, match="can't be opened"):
        open_generator(f"hf:{tmp_path}")
    with pytest.raises(UnavailableError, match="neither a folder here"):
        open_generator("hf:nobody/no-such-pipeline")
    with pytest.raises(BadInputError, match="starts with none of dermoscopy:, hf:"):
        open_generator("paint:anything")
