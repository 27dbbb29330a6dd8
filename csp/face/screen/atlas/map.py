"""The map of neurons: alike lies together. A click opens one, drawing around some lists them."""

from typing import Any, cast

import pandas as pd
import streamlit as st

from csp.face.screen.atlas.bulk import LONGEST
from csp.face.screen.atlas.columns import Context
from csp.face.screen.atlas.filters import nothing_found
from csp.face.screen.atlas.map_figure import COLOURS, MEASURED, map_figure
from csp.face.screen.atlas.table import neuron_cards
from csp.face.screen.elements.components import chart_clicks
from csp.face.screen.runs.job_offer import job_offer
from csp.face.screen.url.links import link
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import follow, put, ranges, write
from csp.face.screen.wording import counted, plain


def chosen_colour(params: Params) -> str:
    """What the colours mean, from the address."""
    return one_of(params, "colour", list(COLOURS), "push")


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
        width=300,
    )
    if colour in MEASURED and not context.rows.frame[colour].notna().any():
        st.caption(f"{COLOURS[colour]} was not measured in this run.")


def map_view(
    context: Context, positions: pd.DataFrame, fitting: pd.DataFrame, shown: pd.DataFrame, colour: str
) -> None:
    """The map beside the neurons of a page; neurons that the filters leave out are grey."""
    left, right = st.columns([60, 40], gap="medium")
    with left.container(key="neuron-map"):
        if positions.empty:
            _no_map(context)
        else:
            _chart(context, positions, fitting, colour)
            _notes(positions, len(context.rows.frame))
    with right:
        if shown.empty:
            nothing_found()
        neuron_cards(context, shown, columns=2)


def _chart(context: Context, positions: pd.DataFrame, fitting: pd.DataFrame, colour: str) -> None:
    frame = positions.merge(context.rows.frame, on="neuron")
    fits = frame["neuron"].isin(fitting["neuron"])
    figure = map_figure(frame[fits], frame[~fits], colour)
    figure.update_layout(uirevision=f"{context.run.fingerprint} {context.rows.layer}")
    st.plotly_chart(
        figure,
        key="map-chart",
        on_select=_picked,
        selection_mode=("box", "lasso"),
        config={"displaylogo": False, "scrollZoom": True},
        alt=f"Map of {counted(len(frame), 'neuron')} of {context.rows.layer}; alike ones lie together",
    )
    here = link("neuron", run=context.run.name, layer=context.rows.layer)
    chart_clicks("map-chart", f"{here}&neuron=")


def _notes(positions: pd.DataFrame, neurons: int) -> None:
    """How to read the map, and what is not on it."""
    how = (
        "UMAP of their concept vectors"
        if set(positions["how"]) == {"umap"}
        else "two principal components of their concept vectors, as they are too few for UMAP"
    )
    absent = neurons - len(positions)
    missing = f" Not on it: {absent:,} without a concept vector, as they never fire." if absent else ""
    st.caption(
        f"Alike neurons lie together ({how}); wide gaps mean little.{missing} "
        "Click one to open it, draw around some to list them, double-click to list all again."
    )
    if note := st.session_state.pop("map-note", ""):
        st.warning(note)


def _no_map(context: Context) -> None:
    """The button that has the map of this layer drawn, and how far that is."""
    name, layer = context.run.name, context.rows.layer
    job_offer(
        "map",
        {"run": name, "layer": layer},
        f"The map of {plain(layer)} has not been drawn yet. It takes about a minute, once.",
        button="Draw the map",
        key="draw-map",
        icon=":material/scatter_plot:",
        command=f"csp map {name}",
    )


def _picked() -> None:
    """Callback of the chart: a drawn area picks, a double click picks all again."""
    selection = cast(dict[str, Any], st.session_state["map-chart"]["selection"])
    text = ranges(int(point["customdata"][0]) for point in selection["points"])
    if len(text) > LONGEST:
        st.session_state["map-note"] = "These are too many neurons for a link: draw around fewer."
    else:
        put("picked", text, ("page",))
