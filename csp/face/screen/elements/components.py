"""Our own screen elements: a grid of pictures, a table of rows to open, cards to open, the copy-link button.

They are Streamlit v2 components, drawn by the JavaScript in `parts/`. Two reasons: twenty pictures arrive as
one message instead of twenty (docs/screens.md has the measurements), and text reaches the page as text only,
so no file name, label or typed word can become markup.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

PARTS = Path(__file__).parent / "parts"
_CLASS_SAFE = re.compile(r"[^a-zA-Z0-9_-]")
"""How Streamlit makes a CSS class of a key."""
MOST_LINES = 12
"""Of so many lines `room.css` keeps the room; more reach below the screen."""
Cell = tuple[Literal["text", "quiet", "lines", "images", "score", "badges"], Any]
"""How a cell shows what: a text, one with a quiet line under it, pictures, a score with its bar, badges."""
Badge = tuple[str, Literal["quiet", "blue", "orange"], str]
"""Words, tone and what they mean (shows on hover)."""


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _script(name: str) -> str:
    return _part("dom.js") + _part(name)


_tiles = st.components.v2.component(
    "csp-tiles",
    html='<div class="csp-tiles"></div>',
    css=_part("tiles.css"),
    js=_script("tiles.js"),
    isolate_styles=False,
)
_table = st.components.v2.component(
    "csp-table",
    html=_part("table.html"),
    css=_part("table.css"),
    js=_script("table.js"),
    isolate_styles=False,
)
_cards = st.components.v2.component(
    "csp-cards",
    html='<div class="csp-cards"></div>',
    css=_part("cards.css"),
    js=_script("cards.js"),
    isolate_styles=False,
)
_chart_clicks = st.components.v2.component(
    "csp-chart-clicks", html="<span></span>", js=_script("chart_clicks.js"), isolate_styles=False
)
_keys = st.components.v2.component(
    "csp-keys", html="<i></i>", js=_part("steps.js") + _script("keys.js"), isolate_styles=False
)
_words = st.components.v2.component("csp-focus", html="<i></i>", js=_script("focus.js"), isolate_styles=False)
_presses = st.components.v2.component(
    "csp-presses",
    html='<p role="status" class="csp-presses"></p>',
    css=_part("presses.css"),
    js=_part("presses.js"),
    isolate_styles=False,
)
_landmarks = st.components.v2.component(
    "csp-landmarks",
    html='<a class="csp-skip" href="#">Skip to the content</a><h1 class="csp-unseen"></h1>',
    css=_part("landmarks.css"),
    js=_part("landmarks.js"),
    isolate_styles=False,
)
_link = st.components.v2.component(
    "csp-link",
    html='<button type="button" class="csp-copy">Copy link</button>',
    css=_part("link.css"),
    js=_part("link.js"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Tile:
    """One picture of a grid. `src` "" draws an empty place; `bar` and `mark` lie in 0..1, None draws none."""

    src: str
    alt: str
    title: str = ""
    number: str = ""
    chip: str = ""
    bar: float | None = None
    mark: float | None = None
    line: str = ""
    aside: str = ""
    image: int | None = None
    """The number of the image: a click writes it into the address, which opens it large."""
    overlay: str = ""
    """A picture to lie over this one; "" for none."""
    tone: str = ""
    """`blue` or `orange` where it is not the grid's."""


@dataclass(frozen=True)
class Column:
    """Head of a table column; `help` shows on hover, a click opens `href`, which sorts by it."""

    name: str
    help: str = ""
    numeric: bool = False
    href: str = ""
    sorted: Literal["", "ascending", "descending"] = ""


@dataclass(frozen=True)
class Row:
    """One row: with `href` it opens that address, the first cell is then the link's text."""

    cells: Sequence[Cell]
    href: str = ""
    hint: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Card:
    """One thing to open, its pictures first: `pictures` hold `src` and `alt`, `line` is a quiet line."""

    href: str
    title: str
    label: str
    line: str
    pictures: Sequence[dict[str, str]]
    badges: Sequence[Badge] = ()
    hint: str = ""
    whose: str = ""
    """A quiet line right under the label: the person whose it is, and what the machine said."""


def tile_grid(tiles: Sequence[Tile], *, tone: str, columns: int, key: str) -> None:
    """Draws the grid; a click on a tile with an image writes it into the address, before the page is drawn
    again.
    """
    data = {"tiles": [vars(tile) for tile in tiles], "tone": tone, "columns": columns}
    with _room("tiles", len(tiles), columns, key):
        _tiles(data=data, key=key, on_opened_change=lambda: _open_image(key))


def row_table(title: str, columns: Sequence[Column], rows: Sequence[Row], *, key: str) -> None:
    """Draws the table; a click on a row with an address goes there."""
    data = {"title": title, "columns": [vars(c) for c in columns], "rows": [vars(r) for r in rows]}
    with_images = any(kind == "images" for row in rows[:1] for kind, _ in row.cells)
    with _room("pictured" if with_images else "rows", len(rows), 1, key):
        _table(data=data, key=key)


def card_grid(title: str, cards: Sequence[Card], *, columns: int, key: str) -> None:
    """Draws cards, `columns` in a line where the screen is wide enough; a click on one opens its address."""
    with _room("cards", len(cards), columns, key):
        drawn = [vars(card) | {"badges": warnings_first(card.badges)} for card in cards]
        _cards(data={"title": title, "cards": drawn, "columns": columns}, key=key)


def warnings_first(badges: Sequence[Badge]) -> list[Badge]:
    """The badges in their order, but those that warn before the others."""
    return sorted(badges, key=lambda badge: badge[1] != "orange")


def _room(kind: str, count: int, columns: int, key: str) -> DeltaGenerator:
    """A container whose name tells `room.css` how much room its element will take, before it is drawn."""
    lines = min(-(-count // columns), MOST_LINES)
    return st.container(key=f"room-{kind}-{columns}-by-{lines}-{key}", gap=None)


def chart_clicks(chart: str, href: str) -> None:
    """A click on a point of the Plotly chart with this key opens `href`, ended by the point's customdata."""
    _chart_clicks(data={"chart": chart, "href": href}, key=f"{chart}-clicks", height=1)


def layered_keys() -> None:
    """Part of every page: a key acts on what is on top only, a first click after typing is a click, and a
    step waits for the one before it."""
    _keys(key="layered-keys", height=1)


def word_keys(boxes: Sequence[str], opens: str, save: str, leave: str, opened: int) -> None:
    """Enter in one of the boxes with these keys presses the button `save`, Escape `leave`.

    Whenever `opened` grows the cursor goes into the first box, and with it what was typed since the key
    `opens`; so it is part of the page before the boxes are.
    """
    keys = [_CLASS_SAFE.sub("-", box) for box in boxes]
    data = {"boxes": keys, "key": opens, "save": save, "leave": leave, "opened": opened}
    _words(data=data, key="word-keys", height=1)


def unrecorded(keys: Sequence[str], buttons: Sequence[str], taken: int) -> None:
    """A line that says when more of these keys and buttons were pressed than the `taken` that counted."""
    _presses(data={"keys": list(keys), "buttons": list(buttons), "taken": taken}, key="presses")


def landmarks(title: str, here: str, *, titled: bool) -> None:
    """Names the parts of the page for screen readers, and the page itself unless it is `titled` already;
    `here` is the link of the navigation that one is at."""
    _landmarks(data={"title": title, "here": here, "titled": titled}, key="landmarks", width="content")


def copy_link() -> None:
    """The button that copies the address of this very view."""
    _link(key="copy-link", width="content")


def _open_image(key: str) -> None:
    """The browser names the image, not its place: other pictures may be on their way to that."""
    image = st.session_state[key].opened
    if image is not None:
        st.query_params["image"] = str(int(image))
