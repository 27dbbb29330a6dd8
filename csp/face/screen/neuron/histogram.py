"""The activations of a neuron over all probe images, by class, with its mean and the examples marked."""

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from csp.face.screen.wording import number, percent, short
from csp.work.explorer.class_histogram import ClassSplit, class_split
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView

HEIGHT = 112
HELP = (
    "The share is that of the images. Each bar counts those on which the neuron fires that strongly, on a "
    "logarithmic scale; the examples come from the blue bars, their look-alikes from left of the dashed "
    "line. A line counts the images of one class; the number beside its name is the neuron's average on "
    "them. Counted from the activations that came with the run."
)
LINES = (("#009E73", "solid"), ("#CC79A7", "solid"), ("#8A8F94", "solid"))
"""Of the Okabe-Ito palette, less blue and orange, which mean something else here; then dotted."""
AVERAGE = "#D9730D"
LEGEND, LONGEST = 168, 20
"""Pixels right of the bars for the names of the classes; more letters of a name don't fit."""


def activation_histogram(explorer: Explorer, view: NeuronView) -> None:
    """Draws the histogram; says the same in words for those who cannot see it."""
    facts = f"above 0 on {percent(view.share_firing)}"
    split = class_split(explorer, view.layer, view.neuron, view.histogram.edges)
    with st.container(key="activation-histogram", gap="xxsmall"):
        st.markdown(f"**How strongly** · {facts}", help=HELP)
        st.plotly_chart(
            _figure(view, split),
            key="histogram",
            height=HEIGHT,
            config={"displayModeBar": False},
            alt=f"Histogram of the activations of neuron {view.neuron} on all images: {facts}, "
            f"average {number(view.mean)}, strongest {number(view.maximum)}. {_in_words(split)}",
        )


def _in_words(split: ClassSplit | None) -> str:
    if split is None:
        return ""
    return (
        "Average by class: " + ", ".join(f"{name} {short(mean)}" for name, mean in split.means.items()) + "."
    )


def _figure(view: NeuronView, split: ClassSplit | None) -> go.Figure:
    """Built in one piece: a figure that is added to checks all of itself each time."""
    edges, counts = view.histogram.edges, view.histogram.counts
    middles = (edges[:-1] + edges[1:]) / 2
    weakest = min((pair.activation for pair in view.pairs), default=float("inf"))
    bars = {
        "type": "bar",
        "x": middles,
        "y": counts,
        "width": edges[1:] - edges[:-1],
        "marker": {
            "color": ["#8FC1E3" if right > weakest else "#C9D0D6" for right in edges[1:]],
            "opacity": 0.75,
            "line": {"width": 0},
        },
        "hovertemplate": "%{y} images near %{x:.3g}<extra></extra>",
    }
    classes = list(split.counts.items()) if split else []
    means = [_class_name(name, split.means[name], i) for i, (name, _) in enumerate(classes)] if split else []
    axis = {"showgrid": False, "fixedrange": True}
    return go.Figure(
        data=[bars, *(_class_line(name, found, middles, i) for i, (name, found) in enumerate(classes))],
        layout={
            "shapes": [_average_line(view.mean)],
            "annotations": [*means, _average_name(view.mean)],
            "xaxis": axis,
            "yaxis": {"type": "log", "dtick": 1, **axis},
            "margin": {"l": 30, "r": LEGEND if means else 2, "t": 2, "b": 18},
            "bargap": 0,
            "showlegend": False,
            "dragmode": False,
        },
    )


def _average_line(mean: float) -> dict[str, Any]:
    line = {"color": AVERAGE, "width": 2, "dash": "dash"}
    return {"type": "line", "x0": mean, "x1": mean, "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def _average_name(mean: float) -> dict[str, Any]:
    position = {"x": mean, "y": 1, "yref": "y domain", "xanchor": "left", "yanchor": "top"}
    return {
        "text": f"average {number(mean)}",
        "showarrow": False,
        "font": {"color": AVERAGE, "size": 11},
        **position,
    }


def _class_name(name: str, mean: float, position: int) -> dict[str, Any]:
    """A line of the legend: Plotly's own would need a scroll bar in so low a picture."""
    colour, dash = _line_style(position)
    sign = "━━" if dash == "solid" else "┅┅"
    short_name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return {
        "text": f'<span style="color:{colour}">{sign}</span> {escape(short_name)} <b>{short(mean)}</b>',
        "x": 1.02,
        "y": 1.04 - 0.17 * position,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 10.5},
    }


def _line_style(position: int) -> tuple[str, str]:
    """Colour and dash of the line of a class."""
    colour, dash = LINES[position % len(LINES)]
    return colour, dash if position < len(LINES) else "dot"


def _class_line(name: str, counts: np.ndarray, middles: np.ndarray, position: int) -> dict[str, Any]:
    """A logarithmic scale has no zero: the line breaks where no image of the class is."""
    colour, dash = _line_style(position)
    return {
        "type": "scatter",
        "x": middles,
        "y": np.where(counts > 0, counts, np.nan),
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": 1.8, "dash": dash, "shape": "hvh"},
        "hovertemplate": "%{y} images near %{x:.3g}",
    }
