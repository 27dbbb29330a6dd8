"""The pictures of a neuron, in the arrangement that the address asks for."""

import streamlit as st

from csp.face.screen.address import follow, put
from csp.face.screen.grids import activating_grid, contrastive_grid, shown_pairs
from csp.face.screen.place import Params, choice
from csp.keeping.run import Run
from csp.work.views import NeuronView

VIEWS = {"groups": "First 9", "all": "All pairs"}
"""By the value of `view` in the address: two groups of nine, or of all."""
_KEY = "pictures-view"


def chosen_pictures(params: Params) -> str:
    """The arrangement in the address; without one, the two groups of nine."""
    return choice(params, "view", tuple(VIEWS), "groups")


def pictures_picker(chosen: str) -> None:
    """Chooses the arrangement."""
    follow(_KEY, chosen)
    st.segmented_control(
        "Pictures",
        tuple(VIEWS),
        format_func=VIEWS.__getitem__,
        required=True,
        key=_KEY,
        on_change=_write,
        label_visibility="collapsed",
    )


def neuron_pictures(run: Run, view: NeuronView, chosen: str) -> None:
    """Draws the pictures."""
    pairs = shown_pairs(view, everything=chosen == "all")
    left, right = st.columns(2, gap="small")
    with left:
        activating_grid(run, view, pairs)
    with right:
        contrastive_grid(run, view, pairs)


def _write() -> None:
    put("view", st.session_state[_KEY])
