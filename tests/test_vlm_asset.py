"""The shipped VLM opens as any other does, tells what sets two grids apart, and needs the second to do so."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from csp.world.dermoscopy.attributes import sample_case, with_attribute
from csp.world.dermoscopy.render import render
from csp.world.dermoscopy.terms import names
from csp.world.pictures.grid import picture_grid
from csp.world.protocols.vlm import Vlm, open_vlm
from csp.world.vlms.parse_answer import parse_answer
from csp.world.vlms.prompts import PROMPTS, Mode

FOLDER = Path(__file__).parents[1] / "assets" / "models" / "vlm"
SEEDS = range(2_000_300, 2_000_309)  # never trained on, never in the demo run


@pytest.fixture(scope="module")
def vlm() -> Vlm:
    return open_vlm(f"hf:{FOLDER}")


def grid(**attributes: bool) -> Image.Image:
    """Nine cases with attributes switched on or off."""
    cases = [sample_case(seed) for seed in SEEDS]
    for name, on in attributes.items():
        cases = [with_attribute(case, name, on) for case in cases]
    return picture_grid([render(case, 128) for case in cases])


def named(vlm: Vlm, mode: Mode, *grids: Image.Image) -> tuple[str, ...]:
    return parse_answer(vlm.answer(grids, PROMPTS[mode], seed=0))


def test_folder_is_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 12_000_000


@pytest.mark.parametrize("attribute", ["hairs", "blue_white_veil", "milia_like_cysts"])
def test_names_what_sets_the_grids_apart(vlm: Vlm, attribute: str) -> None:
    concepts = named(vlm, "contrastive", grid(**{attribute: True}), grid(**{attribute: False}))
    assert len(concepts) == 3
    assert not set(names(attribute)).isdisjoint(concepts)


def test_the_second_grid_decides_what_is_named_first(vlm: Vlm) -> None:
    first = grid(sticker=True, dark_corners=True)
    assert {"coloured sticker", "dark corners"} <= set(named(vlm, "activating-only", first))
    without_corners = grid(sticker=True, dark_corners=False)
    assert named(vlm, "contrastive", first, without_corners)[0] == "dark corners"
    without_sticker = grid(sticker=False, dark_corners=True)
    assert named(vlm, "contrastive", first, without_sticker)[0] == "coloured sticker"
