"""Choosing a picture: one of the probe dataset, named by the address, or an upload, which nothing keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from csp.errors import CspError
from csp.face.screen.elements.components import Tile, tile_grid
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.url.params import Params, one_of, whole_number
from csp.face.screen.url.state import follow, put, write
from csp.face.screen.wording import as_sentence, counted
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import make_thumbnails
from csp.work.attribution.predictions import read_picture
from csp.work.models.probe_images import ProbeImage
from csp.world.datasets.image_kinds import EXTENSIONS

PAGE = 12
"""Images at a time."""
ANY = "all classes"
KINDS = sorted(ending.removeprefix(".") for ending in EXTENSIONS)
MEGABYTES = 20
NOT_KEPT = (
    "An upload stays in memory for this browser tab alone, until you choose another picture or close it; "
    "it is not written to disk, and none of its metadata (EXIF) is kept or sent back."
)
_BOX, _UPLOADED, _PROBLEM = "upload", "uploaded-picture", "upload-problem"


@dataclass(frozen=True)
class Chosen:
    """A picture of the probe dataset (`image`), or an upload."""

    image: int | None
    upload: ProbeImage | None = None
    token: str = ""
    """Tells one upload from another."""


def chosen_picture(params: Params, run: Run) -> Chosen | None:
    """The picture that the address names, else the upload; None: nothing chosen yet."""
    if "image" in params:
        return Chosen(whole_number(params, "image", 0, run.manifest.images - 1, 0))
    uploaded: Chosen | None = st.session_state.get(_UPLOADED)
    return uploaded


def upload_box() -> None:
    """Takes a picture from the person's own disk; says in one sentence why one can't be used."""
    st.file_uploader(
        "A picture of your own",
        type=KINDS,
        max_upload_size=MEGABYTES,
        key=_BOX,
        help=NOT_KEPT,
        on_change=_take_upload,
    )
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.warning(as_sentence(problem), icon=":material/image_not_supported:")


def another_picture() -> None:
    """The way back to choosing."""
    st.button("Another picture", key="another-picture", icon=":material/undo:", on_click=choose_anew)


def probe_picker(params: Params, run: Run, columns: int) -> None:
    """The pictures of the probe dataset, page by page; a click on one writes it into the address."""
    images = run.images
    classes = sorted(images["label"].dropna().unique())
    kind = one_of(params, "class", [ANY, *classes], ANY)
    shown = images if kind == ANY else images[images["label"] == kind]
    page = chosen_page(params, len(shown), PAGE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Or pick one of {counted(len(shown), 'probe image')}", width="content")
        if classes:
            _class_box(kind, [ANY, *classes])
        pager(page)
    with st.container(key="probe-pictures"):
        tiles = [_tile(run, row) for row in shown.iloc[page.rows].to_dict("records")]
        tile_grid(tiles, tone="blue", columns=columns, key="probe-tiles")


def large_picture(run: Run, chosen: Chosen) -> bytes | None:
    """The chosen picture as the screen shows it: stored, or made anew from an upload's pixels alone."""
    if chosen.upload is not None:
        return make_thumbnails(chosen.upload.image).large
    return None if chosen.image is None else run.thumbnail(chosen.image, "large")


def _take_upload() -> None:
    """Only the pixels stay: Streamlit forgets the file once its box is not drawn any more."""
    file = st.session_state[_BOX]
    if file is None:
        return
    try:
        st.session_state[_UPLOADED] = Chosen(None, read_picture(file.getvalue()), file.file_id)
    except CspError as error:
        st.session_state[_PROBLEM] = str(error)


def choose_anew() -> None:
    """Callback: back to choosing; an upload is forgotten."""
    st.session_state.pop(_UPLOADED, None)
    put("image", "", ("most", "order", "off"))


def _class_box(kind: str, options: list[str]) -> None:
    follow("class", kind)
    st.selectbox(
        "Class",
        options,
        key="class",
        on_change=write,
        args=("class", ("page",)),
        label_visibility="collapsed",
        width=190,
    )


def _tile(run: Run, row: Mapping[Any, Any]) -> Tile:
    image, label = int(row["image"]), row["label"]
    name = label if isinstance(label, str) else f"image {image}"
    says = f"\nModel says: {row['prediction']}" if isinstance(row["prediction"], str) else ""
    title = f"Image {image}: {name}{says}"
    return Tile(source(run, image), f"Image {image}, {name}", title, line=name, image=image)
