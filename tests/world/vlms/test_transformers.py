"""One code path for every family: real classes with random weights, their own processors and templates."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.pictures.grid import picture_grid
from csp.world.protocols.vlm import StoppedError, open_vlm
from csp.world.vlms.prompts import PROMPTS
from tests.world import tiny, tiny_vlm

GRIDS = [picture_grid(tiny.pictures(9)), picture_grid(tiny.pictures(9)[::-1])]
BOTH = PROMPTS["contrastive"]


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return tiny_vlm.save_llava(tmp_path_factory.mktemp("vlm") / "llava")


@pytest.mark.parametrize("family", tiny_vlm.FAMILIES)
def test_every_family_answers_by_the_same_path(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    vlm = open_vlm(f"hf:{tiny_vlm.FAMILIES[family](tmp_path)}")
    state = torch.get_rng_state()
    first = vlm.answer(GRIDS, BOTH, seed=1, most_tokens=6)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == vlm.answer(GRIDS, BOTH, seed=1, most_tokens=6)
    assert first != vlm.answer(GRIDS, BOTH, seed=2, most_tokens=6)
    assert vlm.answer(GRIDS[:1], PROMPTS["activating-only"], seed=1, most_tokens=6)
    assert len(vlm.weights_hash) == 64 and vlm.name == tmp_path.name


def test_the_answer_depends_on_the_pictures_and_their_order(llava: Path) -> None:
    vlm = open_vlm(f"hf:{llava}")
    inputs = [
        vlm._inputs(grids, [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "?"}])  # type: ignore[attr-defined]
        for grids in (GRIDS, GRIDS[::-1])
    ]
    assert torch.equal(inputs[0]["pixel_values"], inputs[1]["pixel_values"].flip(0))


def test_an_answer_is_cut_and_can_be_stopped(llava: Path) -> None:
    vlm = open_vlm(f"hf:{llava}")
    assert len(vlm.answer(GRIDS, BOTH, seed=1, most_tokens=3).encode()) <= 9
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) >= 4

    with pytest.raises(StoppedError, match="before the model had answered"):
        vlm.answer(GRIDS, BOTH, seed=1, most_tokens=100, stop=stop)
    assert len(asked) == 5  # four tokens, and once after them


def test_what_cannot_be_opened(llava: Path, tiny_models: Path, tmp_path: Path) -> None:
    mute = shutil.copytree(llava, tmp_path / "mute")
    (mute / "chat_template.jinja").unlink()
    gutted = shutil.copytree(llava, tmp_path / "gutted")
    (gutted / "model.safetensors").unlink()
    for spec, kind, sentence in (
        (f"hf:{tmp_path}/none", NotFoundError, "does not exist"),
        (f"hf:{tiny_models}/vit", BadInputError, "is a 'vit' model, which does not answer about pictures"),
        (f"hf:{mute}", BadInputError, "has no chat template"),
        (f"hf:{gutted}", BadInputError, "has no weights"),
        ("hf:nobody/nothing", UnavailableError, "neither a folder here nor a model that the hub gave"),
        ("hf:", BadInputError, "names nothing"),
        ("vlm:x", BadInputError, "starts with none of hf:, openai:, python:"),
    ):
        with pytest.raises(kind, match=sentence) as caught:
            open_vlm(spec)
        assert str(caught.value).count("\n") == 0


def test_prompts_and_templates_without_a_place_for_pictures(llava: Path, tmp_path: Path) -> None:
    vlm = open_vlm(f"hf:{llava}")
    for prompt in ("What is this?", "{images} and {images}"):
        with pytest.raises(BadInputError, match="places for the pictures"):
            vlm.answer(GRIDS, prompt, seed=0)
    blind = shutil.copytree(llava, tmp_path / "blind")
    (blind / "chat_template.jinja").write_text(tiny_vlm.template(""))
    with pytest.raises(BadInputError, match=r"can't take these pictures|no place for pictures"):
        open_vlm(f"hf:{blind}").answer(GRIDS, BOTH, seed=0)
    broken = shutil.copytree(llava, tmp_path / "broken")
    (broken / "chat_template.jinja").write_text(
        "{{ messages[7].content }}{{ raise_exception('no pictures here') }}"
    )
    with pytest.raises(BadInputError, match="can't take these pictures and this prompt"):
        open_vlm(f"hf:{broken}").answer(GRIDS, BOTH, seed=0)


def test_memory_that_does_not_suffice_is_one_sentence(llava: Path, tmp_path: Path) -> None:
    """A processor that blows pictures up to a million pixels a side: the machine has no such memory."""
    huge = shutil.copytree(llava, tmp_path / "huge")
    file = huge / "processor_config.json"
    config = json.loads(file.read_text())
    config["image_processor"] |= {"size": {"height": 1_000_000, "width": 1_000_000}, "do_center_crop": False}
    file.write_text(json.dumps(config))
    with pytest.raises(CspError, match="The memory does not suffice for huge"):
        open_vlm(f"hf:{huge}").answer(GRIDS, BOTH, seed=0)
