"""The pictures of a neuron, in the arrangement that the address asks for."""

from collections.abc import Sequence

import streamlit as st

from csp.errors import CspError
from csp.face.screen.elements.components import tile_grid
from csp.face.screen.neuron.facets import A_FACET, BY, facet_grids, grouped, several_facets
from csp.face.screen.neuron.grids import (
    NONE,
    Overlays,
    activating_grid,
    contrastive_grid,
    level_tile,
    pair_grid,
    shown_pairs,
)
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.state.waiting import let_go, waited
from csp.face.screen.url.params import Params, is_on, one_of
from csp.face.screen.url.state import choose, put, switch
from csp.face.screen.wording import number, percent, plain
from csp.work.attribution.heatmaps import HeatmapOverlays, heat
from csp.work.explorer.activation_bands import A_LEVEL, ActivationBand, levels
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.facets import FacetView
from csp.work.explorer.views import NeuronView, Pair
from csp.world.pictures.data_url import data_url

VIEWS = {"groups": "Groups", "pairs": "Pairs", "all": "All", "levels": "Levels"}
"""By the value of `view` in the address."""
ALL_HEIGHT = 470
"""Pixels: as high as three rows, so all pairs scroll in their place and the words beside them stay."""
HEAT = "heat"
HELP = (
    "*Groups*: the nine strongest images, their look-alikes beside them place by place, as many as a "
    "vision-language model is shown. *Pairs*: the same, each picture right beside its look-alike. "
    "*All*: every pair that decides the scores. *Levels*: also images on which it fires less, or not."
)


def chosen_arrangement(params: Params) -> str:
    """The arrangement in the address; without one, the two groups of nine.

    Raises WrongAddressError for what else it may ask of the pictures, too.
    """
    grouped(params)
    is_on(params, HEAT)
    return one_of(params, "view", tuple(VIEWS), "groups")


def arrangement_picker(chosen: str) -> None:
    """Chooses the arrangement (G: groups or pairs), and whether pictures show where the neuron fires (M)."""
    choose("view", chosen, VIEWS, "Pictures", drop=(BY,))
    st.button(
        "⇄",
        key="grids",
        shortcut=shortcut("grids"),
        type="tertiary",
        help=HELP,
        on_click=_other_view,
    )
    on = is_on(st.query_params.to_dict(), HEAT)
    st.button(
        "Where it fires",  # on or off alike, so that the toolbar keeps its line
        key="heat-map",
        shortcut=shortcut("heat-map"),
        type="primary" if on else "secondary",
        help="Each picture is bright where the neuron fires and dark where it does not. "
        "The target model works it out, once for each picture.",
        on_click=switch,
        args=(HEAT, "true"),
    )


def _other_view() -> None:
    """Callback: between groups and pairs, by the address, as the key may be pressed twice in a row."""
    put("view", "groups" if st.query_params.get("view") == "pairs" else "pairs", (BY,))


def neuron_images(explorer: Explorer, view: NeuronView, chosen: str) -> list[int]:
    """Draws the pictures; returns the numbers of the images that open large, in their order."""
    facets = several_facets(explorer, view) if grouped(st.query_params.to_dict()) else ()
    if facets:
        return _by_facet(explorer, view, facets)
    if chosen == "levels":
        return _levels(explorer, view)
    pairs = shown_pairs(view, everything=chosen == "all")
    pictures = st.container(
        height=ALL_HEIGHT if chosen == "all" else "content", border=False, gap="xxsmall", key="pictures"
    )
    overlays = _overlays(explorer, view, _images(pairs))
    if chosen == "pairs":
        with pictures:
            pair_grid(explorer.run, view, pairs, overlays)
    else:
        left, right = pictures.columns(2, gap="small")
        with left:
            activating_grid(explorer.run, view, pairs, overlays=overlays)
        with right:
            contrastive_grid(explorer.run, view, pairs, overlays=overlays)
    return [pair.activating.image for pair in pairs]


def _by_facet(explorer: Explorer, view: NeuronView, facets: Sequence[FacetView]) -> list[int]:
    pairs = [pair for facet in facets for pair in facet.pairs[:A_FACET]]
    pictures = st.container(height=ALL_HEIGHT, border=False, gap="xxsmall", key="pictures")
    overlays = _overlays(explorer, view, _images(pairs))
    with pictures:
        facet_grids(explorer, view, facets, overlays)
    return [pair.activating.image for pair in pairs]


def _levels(explorer: Explorer, view: NeuronView) -> list[int]:
    found = levels(explorer, view.layer, view.neuron)
    images = [facts.image for level in found for facts, _ in level.images]
    rows = st.container(key="levels", gap="xxsmall")
    overlays = _overlays(explorer, view, images)
    with rows:
        for position, level in enumerate(found):
            title, pictures = st.columns([17, 83], vertical_alignment="center")
            title.markdown(_level_line(level))
            tiles = [level_tile(explorer.run, view, facts, fired, overlays) for facts, fired in level.images]
            with pictures:
                tile_grid(tiles, tone="blue", columns=A_LEVEL, key=f"level-{position}")
    return images


def _level_line(level: ActivationBand) -> str:
    strongest, weakest = level.images[0][1], level.images[-1][1]
    if level.start == 0:
        title = f"Strongest {percent(level.stop)}"
    elif level.stop == 1:
        title = f"Weakest {percent(1 - level.start)}"
    else:
        title = f"{percent(level.start)} to {percent(level.stop)}"
    return f"**{title}**  \n{number(strongest)} down to {number(weakest)}"


def _images(pairs: Sequence[Pair]) -> list[int]:
    contrastive = [pair.contrastive.image for pair in pairs if pair.contrastive is not None]
    return [*(pair.activating.image for pair in pairs), *contrastive]


def _overlays(explorer: Explorer, view: NeuronView, images: Sequence[int]) -> Overlays:
    """Where the neuron fires in these images, if the address asks for it and once it is known.

    A line below them says how far it is: from the press on, so nothing moves when the model is done.
    """
    if not images or not is_on(st.query_params.to_dict(), HEAT):
        let_go(HEAT)
        return NONE
    with st.container(key="heat-line"):
        found = _heat(explorer, view, images)
    pictures = {} if found is None else found.overlays
    return {image: data_url(png, "png") for image, png in pictures.items()}


def _heat(explorer: Explorer, view: NeuronView, images: Sequence[int]) -> HeatmapOverlays | None:
    """None until it is known, and where it can't be told."""
    asked = explorer.run.fingerprint, view.layer, view.neuron, tuple(images)
    try:
        found = waited(
            HEAT,
            asked,
            lambda: heat(explorer, view.layer, view.neuron, images),
            "Working out where it fires",
            lambda: put(HEAT, ""),
        )
    except CspError as error:
        st.warning(f"Where it fires can't be shown: {plain(str(error).rstrip('.'))}.")
        return None
    if found is not None:
        where = f", found {plain(found.remark)}" if found.remark else ""
        st.caption(f"Bright where the neuron fires, dark elsewhere{where}.")
    return found
