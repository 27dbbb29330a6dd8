"""The map of neurons: alike lies together. A click opens a neuron, a lasso or box picks some for the list."""

from typing import Any, cast
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from csp.face.screen.address import follow, put, ranges, write
from csp.face.screen.components import go_to
from csp.face.screen.map_figure import COLOURS, MEASURED, map_figure
from csp.face.screen.neuron_columns import Context
from csp.face.screen.neuron_filters import nothing_found
from csp.face.screen.neuron_table import neuron_cards
from csp.face.screen.place import Params, choice
from csp.face.screen.words import plain

LONGEST = 12_000
"""Letters of the longest set of neurons that an address may hold."""


def chosen_colour(params: Params) -> str:
    """What the colours mean, from the address."""
    return choice(params, "colour", list(COLOURS), "push")


def colour_picker(colour: str, context: Context) -> None:
    """Chooses what the colours mean; says so where that was not measured."""
    follow("colour", colour)
    st.selectbox(
        "Colour",
        list(COLOURS),
        key="colour",
        format_func=lambda name: f"Colour: {COLOURS[name]}",
        on_change=write,
        args=("colour",),
        label_visibility="collapsed",
        width=260,
    )
    if colour in MEASURED and not context.rows.frame[colour].notna().any():
        st.caption(f"{COLOURS[colour]} was not measured in this run.")


def map_view(
    context: Context, places: pd.DataFrame, fitting: pd.DataFrame, leaf: pd.DataFrame, colour: str
) -> None:
    """The map beside the neurons of a leaf; neurons that the filters leave out are grey."""
    left, right = st.columns([60, 40], gap="medium")
    with left.container(key="neuron-map"):
        if places.empty:
            _no_map(context)
        else:
            _chart(context, places, fitting, colour)
            _notes(places, len(context.rows.frame))
    with right:
        if leaf.empty:
            nothing_found()
        neuron_cards(context, leaf, columns=2)


def _chart(context: Context, places: pd.DataFrame, fitting: pd.DataFrame, colour: str) -> None:
    frame = places.merge(context.rows.frame, on="neuron")
    fits = frame["neuron"].isin(fitting["neuron"])
    figure = map_figure(frame[fits], frame[~fits], colour)
    figure.update_layout(uirevision=f"{context.run.fingerprint} {context.rows.layer}")
    st.plotly_chart(
        figure,
        key="map-chart",
        on_select=_picked,
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "scrollZoom": True},
        alt=f"Map of {len(frame)} neurons of {context.rows.layer}; alike ones lie together",
    )
    opened = st.session_state.pop("map-opens", None)
    if opened is not None:
        go_to("neuron?" + urlencode({"run": context.run.name, "layer": context.rows.layer, "neuron": opened}))


def _notes(places: pd.DataFrame, neurons: int) -> None:
    """How to read the map, and what is not on it."""
    how = (
        "UMAP of their concept vectors"
        if set(places["how"]) == {"umap"}
        else "two principal components of their concept vectors, as they are too few for UMAP"
    )
    absent = neurons - len(places)
    missing = f" Not on it: {absent:,} without a concept vector, as they never fire." if absent else ""
    st.caption(
        f"Neurons that look for alike things lie together ({how}); wide gaps mean little.{missing} "
        "Click a neuron to open it; draw around some to list them; double-click to list all again."
    )
    if note := st.session_state.pop("map-note", ""):
        st.warning(note)


def _no_map(context: Context) -> None:
    """What to do when the map of this layer was not drawn yet."""
    st.info(
        f"The map of {plain(context.rows.layer)} has not been drawn yet. It takes about half a minute, once: "
        f"`csp map {context.run.name}`",
        icon=":material/scatter_plot:",
    )


def _picked() -> None:
    """Callback of the chart: a drawn area picks, a click opens, a double click picks all again."""
    selection = cast(dict[str, Any], st.session_state["map-chart"]["selection"])
    neurons = [int(point["customdata"][0]) for point in selection["points"] if point.get("customdata")]
    if selection.get("box") or selection.get("lasso"):
        text = ranges(neurons)
        if len(text) > LONGEST:
            st.session_state["map-note"] = "These are too many neurons for a link: draw around fewer."
        else:
            put("picked", text, ("page",))
    elif neurons:
        st.session_state["map-opens"] = neurons[0]
    else:
        put("picked", "", ("page",))
