"""Lays pictures out in one grid, as a VLM and the person who checks on it both see them."""

from collections.abc import Sequence

from PIL import Image

from csp.errors import BadInputError

ROWS = 3
PIXELS = 128
"""Of the paper: nine pictures in three rows, 128 pixels in all."""

# white, because a black margin could be taken for the dark corner of a dermoscope
MARGIN = "white"


def picture_grid(
    pictures: Sequence[Image.Image], rows: int = ROWS, pixels: int = PIXELS, columns: int | None = None
) -> Image.Image:
    """Draw pictures row by row into equal square cells, without gaps; the longer side has `pixels` pixels.

    As many `columns` as the rows need, if not given; cells without a picture stay white. A picture that is
    not square is fitted into its cell whole, on white. Edges lie at `round(i * pixels / cells)`, so the cells
    of 128 pixels in three are 43, 42 and 43 wide. Raises `BadInputError` for pictures that find no place, or
    cells of less than a pixel.
    """
    columns = columns or -(-len(pictures) // max(rows, 1))
    if rows < 1 or not 1 <= len(pictures) <= rows * columns:
        raise BadInputError(f"A grid of {rows} x {columns} cells can't hold {len(pictures)} pictures.")
    cells = max(rows, columns)
    if pixels < cells:
        raise BadInputError(f"A grid of {pixels} pixels has no room for {cells} pictures side by side.")
    edges = [round(place * pixels / cells) for place in range(cells + 1)]
    grid = Image.new("RGB", (edges[columns], edges[rows]), MARGIN)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = edges[column], edges[row]
        grid.paste(_fitted(picture, edges[column + 1] - left, edges[row + 1] - top), (left, top))
    return grid


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """A picture made to fit a cell, whole and centred; a square one fills it, even one a pixel narrower."""
    scale = max(width, height) / max(picture.size)
    size = (
        min(width, max(1, round(picture.width * scale))),
        min(height, max(1, round(picture.height * scale))),
    )
    cell = Image.new("RGB", (width, height), MARGIN)
    shrunk = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    cell.paste(shrunk, ((width - size[0]) // 2, (height - size[1]) // 2))
    return cell


def enlarged(grid: Image.Image, pixels: int) -> Image.Image:
    """The grid so many whole times larger that it has about `pixels` pixels: each pixel becomes a square."""
    times = max(1, round(pixels / max(grid.size)))
    return grid.resize((grid.width * times, grid.height * times), Image.Resampling.NEAREST)
