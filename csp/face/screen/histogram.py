"""The activations of a neuron over all probe images, by class, with its mean and the examples marked."""

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from csp.face.screen.words import number, short
from csp.work.class_split import ClassSplit, class_split
from csp.work.explorer import Explorer
from csp.work.views import NeuronView

HEIGHT = 112
HELP = (
    "Each bar counts the images on which the neuron fires that strongly, on a logarithmic scale; the "
    "examples come from the blue bars, their look-alikes from left of the dashed line. A line counts the "
    "images of one class; the number beside its name is the neuron's average on them. Counted from the "
    "activations that came with the run."
)
LINES = (("#009E73", "solid"), ("#CC79A7", "solid"), ("#8A8F94", "solid"))
"""Of the Okabe-Ito palette, less blue and orange, which mean something else here; then dotted."""
LONGEST = 22
"""More letters of a class's name don't fit."""


def activation_histogram(explorer: Explorer, view: NeuronView) -> None:
    """Draws the histogram; says the same in words for those who cannot see it."""
    facts = f"average {number(view.mean)}, above 0 on {view.share_firing:.0%}"
    split = class_split(explorer, view.layer, view.neuron, view.histogram.edges)
    with st.container(key="activation-histogram", gap="xxsmall"):
        st.markdown(f"**How strongly** · {facts}", help=HELP)
        st.plotly_chart(
            _figure(view, split),
            key="histogram",
            height=HEIGHT,
            config={"displayModeBar": False},
            alt=f"Histogram of the activations of neuron {view.neuron} on all images: {facts}, "
            f"strongest {number(view.maximum)}. {_in_words(split)}",
        )


def _in_words(split: ClassSplit | None) -> str:
    if split is None:
        return ""
    return (
        "Average by class: " + ", ".join(f"{name} {short(mean)}" for name, mean in split.means.items()) + "."
    )


def _figure(view: NeuronView, split: ClassSplit | None) -> go.Figure:
    edges, counts = view.histogram.edges, view.histogram.counts
    middles = (edges[:-1] + edges[1:]) / 2
    weakest = min((pair.activation for pair in view.pairs), default=float("inf"))
    colours = ["#8FC1E3" if right > weakest else "#C9D0D6" for right in edges[1:]]
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=edges[1:] - edges[:-1],
            marker={"color": colours, "opacity": 0.75, "line": {"width": 0}},
            hovertemplate="%{y} images near %{x:.3g}<extra></extra>",
            showlegend=False,
        )
    )
    if split is not None:
        for place, (name, by_class) in enumerate(split.counts.items()):
            figure.add_trace(_class_line(name, by_class, middles, place))
            figure.add_annotation(_class_name(name, split.means[name], place))
    figure.add_vline(
        x=view.mean,
        line={"color": "#D9730D", "width": 2, "dash": "dash"},
        annotation={"text": "average", "font": {"color": "#D9730D", "size": 11}},
        annotation_position="top right",
    )
    figure.update_yaxes(type="log", title=None, showgrid=False, dtick=1, fixedrange=True)
    figure.update_xaxes(title=None, showgrid=False, fixedrange=True)
    figure.update_layout(
        margin={"l": 30, "r": 2, "t": 2, "b": 18}, bargap=0, showlegend=False, dragmode=False
    )
    return figure


def _class_name(name: str, mean: float, place: int) -> dict[str, Any]:
    """A line of the legend: Plotly's own would need a scroll bar in so low a picture."""
    colour, dash = _look(place)
    sign = "━━" if dash == "solid" else "┅┅"
    short_name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return {
        "text": f'<span style="color:{colour}">{sign}</span> {escape(short_name)} <b>{short(mean)}</b>',
        "x": 1,
        "y": 1.04 - 0.17 * place,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 10.5},
    }


def _look(place: int) -> tuple[str, str]:
    """Colour and dash of the line of a class."""
    colour, dash = LINES[place % len(LINES)]
    return colour, dash if place < len(LINES) else "dot"


def _class_line(name: str, counts: np.ndarray, middles: np.ndarray, place: int) -> go.Scatter:
    """A logarithmic scale has no zero: the line breaks where no image of the class is."""
    colour, dash = _look(place)
    return go.Scatter(
        x=middles,
        y=np.where(counts > 0, counts, np.nan),
        name=name,
        mode="lines",
        line={"color": colour, "width": 1.8, "dash": dash, "shape": "hvh"},
        hovertemplate="%{y} images near %{x:.3g}",
    )
