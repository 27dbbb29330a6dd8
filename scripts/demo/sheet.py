"""Contact sheets of the drawn dermoscopy world, to look at it with one's own eyes.

python scripts/demo/sheet.py random sheet.png
python scripts/demo/sheet.py attributes sheet.png --tile 128
python scripts/demo/sheet.py tones sheet.png
python scripts/demo/sheet.py random sheet.png --beside FOLDER   # every other row from a folder of photographs
python scripts/demo/sheet.py docs docs/images/demo-world.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw, ImageOps

from csp.world.dermoscopy import ATTRIBUTES, DIAGNOSES, Case, render, sample_case, with_attribute

LABEL_HEIGHT = 18
RENDERED_AT = 256


def main(argv: Sequence[str] | None = None) -> None:
    """Write the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sheet", choices=sorted(SHEETS))
    parser.add_argument("out", type=Path)
    parser.add_argument("--tile", type=int, default=192, help="pixels per picture on the sheet")
    parser.add_argument("--seed", type=int, default=0, help="the first case's seed")
    parser.add_argument("--beside", type=Path, help="folder of photographs shown in every other row")
    options = parser.parse_args(argv)
    sheet = SHEETS[options.sheet](options.tile, options.seed)
    if options.beside is not None:
        sheet = interleave(sheet, photographs(options.beside, options.tile, options.seed, len(sheet)))
    draw_sheet(sheet).save(options.out, quality=82)


Row = list[tuple[str, Image.Image]]
T = TypeVar("T")


def draw_sheet(rows: list[Row]) -> Image.Image:
    """Rows of labelled pictures, all of one size, as one picture."""
    tile = rows[0][0][1].width
    high = tile + LABEL_HEIGHT
    sheet = Image.new("RGB", (max(map(len, rows)) * tile, len(rows) * high), "white")
    draw = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        for j, (label, picture) in enumerate(row):
            sheet.paste(picture, (j * tile, i * high + LABEL_HEIGHT))
            draw.text((j * tile + 3, i * high + 3), label, fill="black", font_size=12)
    return sheet


def picture(case: Case, tile: int) -> Image.Image:
    """The case rendered at its usual size and shrunk to `tile`, as a model would see it."""
    return render(case, max(RENDERED_AT, tile)).resize((tile, tile), Image.Resampling.BOX, reducing_gap=2.0)


def random_rows(tile: int, seed: int, n_rows: int = 6, n_columns: int = 8) -> list[Row]:
    """Cases as the sampler draws them."""
    cases = [sample_case(seed + i) for i in range(n_rows * n_columns)]
    return [[(case.diagnosis, picture(case, tile)) for case in row] for row in in_rows(cases, n_columns)]


def attribute_rows(tile: int, seed: int, n_cases: int = 4) -> list[Row]:
    """Each attribute off and on in the same cases, two attributes a row."""
    pairs = [_off_on(name, tile, seed, n_cases) for name in ATTRIBUTES]
    return [[cell for pair in two for cell in pair] for two in in_rows(pairs, 2)]


def tone_rows(tile: int, seed: int, n_cases: int = 6) -> list[Row]:
    """The same cases in the six skin tones."""
    cases = [sample_case(seed + i) for i in range(n_cases)]
    return [
        [(f"tone {tone}", picture(replace(case, skin_tone=tone), tile)) for tone in range(1, 7)]
        for case in cases
    ]


def docs_rows(tile: int, seed: int) -> list[Row]:
    """For the documentation: a row of cases per diagnosis, then a plain case with each attribute in turn."""
    diagnoses = [
        [(name, picture(sample_case(seed + 8 * i + j, name), tile)) for j in range(8)]
        for i, name in enumerate(DIAGNOSES)
    ]
    plain = Case(seed=seed, diagnosis="nevus")
    shown = [(name, picture(with_attribute(plain, name, True), tile)) for name in ATTRIBUTES]
    return diagnoses + list(in_rows(shown, 8))


def photographs(folder: Path, tile: int, seed: int, n_rows: int, n_columns: int = 8) -> list[Row]:
    """Pictures from `folder`, cropped square, starting at the `seed`-th."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = [paths[(seed + i * 7) % len(paths)] for i in range(n_rows * n_columns)]
    cells = [("photograph", ImageOps.fit(Image.open(path).convert("RGB"), (tile, tile))) for path in chosen]
    return list(in_rows(cells, n_columns))


def in_rows(items: Sequence[T], n_columns: int) -> Iterator[list[T]]:
    """`items` in order, `n_columns` at a time."""
    return (list(items[i : i + n_columns]) for i in range(0, len(items), n_columns))


def interleave(drawn: list[Row], real: list[Row]) -> list[Row]:
    """One row of each, in turn."""
    return [row for pair in zip(drawn, real, strict=True) for row in pair]


def _off_on(name: str, tile: int, seed: int, n_cases: int) -> Row:
    cases = [sample_case(seed + i) for i in range(n_cases)]
    cells = []
    for case in cases:
        cells.append((f"no {name}"[:20], picture(with_attribute(case, name, False), tile)))
        cells.append((name[:20], picture(with_attribute(case, name, True), tile)))
    return cells


SHEETS: dict[str, Callable[[int, int], list[Row]]] = {
    "random": random_rows,
    "attributes": attribute_rows,
    "tones": tone_rows,
    "docs": docs_rows,
}


if __name__ == "__main__":
    main()
