"""The several things that a neuron looks for: in words, and its pictures grouped by them.

Most neurons look for one thing, and then nothing of this is shown.
"""

from collections.abc import Sequence

import streamlit as st

from csp.face.screen.elements.components import tile_grid
from csp.face.screen.neuron.grids import NONE, Overlays, activating_tiles, contrastive_tiles
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.review_wording import shown
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import switch
from csp.face.screen.wording import percent
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.facets import FacetView, stored_facets
from csp.work.explorer.views import NeuronView

BY = "by"
FACETS = "facets"
A_FACET, A_ROW = 6, 3
"""Pictures of a facet, and beside each other."""
TWO = 2
HELP = (
    "Each thing with how much of the neuron's firing it explains beyond the things before it, on images that "
    "had no part in finding it; and how much of the firing it explains when the activations are shuffled. "
    "Worked out at the run's own settings."
)


def several_facets(explorer: Explorer, view: NeuronView) -> tuple[FacetView, ...]:
    """The things that a neuron looks for, where they are several and known at the options of the page."""
    if view.options != explorer.options():
        return ()
    found = stored_facets(explorer, view.layer, view.neuron)
    return found if len(found) >= TWO else ()


def grouped(params: Params) -> bool:
    """Whether the address asks for the pictures of each thing by themselves."""
    return one_of(params, BY, ("", FACETS), "") == FACETS


def facets_line(explorer: Explorer, view: NeuronView) -> None:
    """Each thing with its share beside chance, and the button that groups the pictures (T)."""
    found = several_facets(explorer, view)
    if not found:
        return
    on = grouped(st.query_params.to_dict())
    with st.container(
        key="facets", horizontal=True, vertical_alignment="center", gap="xsmall", horizontal_alignment="left"
    ):
        st.caption(
            "What explains its firing: " + " · ".join(map(share_words, found)), help=HELP, width="content"
        )
        pressed = st.button(
            "Grouped by thing" if on else "Group pictures",
            key="by-facet",
            # While a picture is open large, keys act on that.
            shortcut=None if "image" in st.query_params else shortcut("by-facet"),
            type="primary" if on else "secondary",
            help="The pictures of each thing by themselves",
            on_click=switch,
            args=(BY, FACETS),
        )
    if pressed:  # this stands in a fragment: the pictures are drawn by the page
        st.rerun()


def share_words(facet: FacetView) -> str:
    """`**dark corners** 31 % (chance 0 %)`, as Markdown."""
    return (
        f"**{shown(facet.label, 40)}** {percent(facet.share)} (chance {percent(round(facet.by_chance, 2))})"
    )


def facet_grids(
    explorer: Explorer, view: NeuronView, found: Sequence[FacetView], overlays: Overlays = NONE
) -> None:
    """The pictures that show each thing, beside their look-alikes, under its name."""
    for place, facet in enumerate(found, 1):
        pairs = facet.pairs[:A_FACET]
        with st.container(key=f"facet-{place}", gap="xxsmall"):
            st.markdown(f":blue[**●**] {share_words(facet)} · :orange[**●**] look-alikes", help=HELP)
            left, right = st.columns(2, gap="small")
            with left:
                tiles = activating_tiles(explorer.run, view, pairs, overlays)
                tile_grid(tiles, tone="blue", columns=A_ROW, key=f"facet-{place}-activating")
            with right:
                tiles = contrastive_tiles(explorer.run, view, pairs, overlays)
                tile_grid(tiles, tone="orange", columns=A_ROW, key=f"facet-{place}-contrastive")
