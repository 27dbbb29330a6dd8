"""How runs and neurons show themselves in a notebook: small HTML, every text in it escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from io import BytesIO

import pandas as pd
from PIL import Image

from csp.errors import NotFoundError
from csp.keeping.run_folder.run import Run
from csp.world.pictures.data_url import data_url

SHOWN = 9
"""So many images of each kind stand in a notebook's grid."""
EDGE = 96
"""Side of one of them, in pixels."""


def facts_html(title: str, facts: Mapping[str, object]) -> str:
    """A heading over a table of two columns."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<div><strong>{escape(title)}</strong><table>{rows}</table></div>"


def grid_html(run: Run, heading: str, images: Sequence[int], captions: Iterable[str]) -> str:
    """Images of a run under a heading, each with a caption; a grey square where there is no picture."""
    tiles = "".join(
        f"<figure style='margin:2px;width:{EDGE}px'>{_picture(run, image)}"
        f"<figcaption style='font-size:11px'>{escape(caption)}</figcaption></figure>"
        for image, caption in zip(images[:SHOWN], captions, strict=False)
    )
    return (
        f"<div style='flex:1;min-width:{3 * EDGE}px'><div>{escape(heading)}</div>"
        f"<div style='display:flex;flex-wrap:wrap;max-width:{3 * (EDGE + 8)}px'>{tiles}</div></div>"
    )


def side_by_side(title: str, *parts: str) -> str:
    """Parts in a row that wraps where it is too narrow."""
    row = f"<div style='display:flex;flex-wrap:wrap;gap:16px'>{''.join(parts)}</div>"
    return f"<div><strong>{escape(title)}</strong>{row}</div>"


def table_html(frame: pd.DataFrame, digits: int = 3) -> str:
    """A data frame as a table, escaped."""
    table = frame.to_html(escape=True, index=False, float_format=lambda value: f"{value:.{digits}f}")
    return f"<div style='flex:1'>{table}</div>"


def stored_image(run: Run, image: int) -> Image.Image:
    """The largest picture of an image that the run holds; NotFoundError where it holds none."""
    return Image.open(BytesIO(run.thumbnail(image, "large"))).convert("RGB")


def _picture(run: Run, image: int) -> str:
    try:
        source = data_url(run.thumbnail(image, "small"))
    except NotFoundError:
        return f"<div style='width:{EDGE}px;height:{EDGE}px;background:#999'></div>"
    return f"<img src='{source}' alt='image {image}' style='width:{EDGE}px;height:{EDGE}px;object-fit:cover'>"
