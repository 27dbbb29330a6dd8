"""Where each picture of a grid lies, and the prompts that grids go into."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from csp.errors import BadInputError
from csp.world.pictures.grid import enlarged, picture_grid
from csp.world.vlms.prompts import GRIDS, PROMPTS, message_parts


def plain(shade: int, width: int = 60, height: int = 60) -> Image.Image:
    return Image.new("RGB", (width, height), (shade, shade, shade))


@given(count=st.integers(1, 12), rows=st.integers(1, 4), pixels=st.integers(12, 300), data=st.data())
def test_each_picture_fills_its_own_cell(count: int, rows: int, pixels: int, data: st.DataObject) -> None:
    columns = data.draw(st.integers(-(-count // rows), 6)) if count <= 6 * rows else -(-count // rows)
    grid = np.asarray(picture_grid([plain(10 * place) for place in range(count)], rows, pixels, columns))
    cells = max(rows, columns)
    assert max(grid.shape[:2]) == pixels
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        top, bottom = round(row * pixels / cells), round((row + 1) * pixels / cells)
        left, right = round(column * pixels / cells), round((column + 1) * pixels / cells)
        assert (grid[top:bottom, left:right] == (10 * place if place < count else 255)).all()


def test_the_papers_grid() -> None:
    grid = picture_grid([plain(10 * place) for place in range(9)])
    assert grid.size == (128, 128)
    assert [grid.getpixel((x, 0))[0] for x in (42, 43, 84, 85)] == [0, 10, 10, 20]  # type: ignore[index]


def test_a_picture_that_is_not_square_is_shown_whole() -> None:
    wide = Image.new("RGB", (200, 100), "red")
    grid = np.asarray(picture_grid([wide], rows=1, pixels=100))
    red = (grid == (255, 0, 0)).all(axis=2)
    assert red[25:75].all() and not red[:25].any() and not red[75:].any()


@pytest.mark.parametrize(
    ("count", "rows", "pixels", "columns"),
    [(0, 3, 128, None), (9, 0, 128, None), (9, 3, 2, None), (9, 2, 99, 4)],
)
def test_grids_that_cannot_be(count: int, rows: int, pixels: int, columns: int | None) -> None:
    with pytest.raises(BadInputError):
        picture_grid([plain(0)] * count, rows, pixels, columns)


def test_enlarging_keeps_every_pixel() -> None:
    grid = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    large = np.asarray(enlarged(grid, 100))
    assert large.shape == (60, 90, 3)
    assert (large == np.asarray(grid).repeat(3, 0).repeat(3, 1)).all()
    assert enlarged(grid, 5).size == grid.size


def test_prompts_are_short_and_have_one_place_for_the_grids() -> None:
    for mode, prompt in PROMPTS.items():
        parts = message_parts(prompt, GRIDS[mode])
        assert [part["type"] for part in parts] == ["image"] * GRIDS[mode] + ["text"]
        assert len(prompt.split()) <= 60 and "at most four words" in prompt and "hree concepts" in prompt
    parts = message_parts("Look: {images} What is it?", 2)
    assert [part.get("text", "") for part in parts] == ["Look:", "", "", "What is it?"]
