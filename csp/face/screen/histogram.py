"""The activations of a neuron over all probe images, with its mean and the examples marked."""

import plotly.graph_objects as go
import streamlit as st

from csp.face.screen.words import number
from csp.work.views import NeuronView

HEIGHT = 128
HELP = (
    "Each bar counts the images on which the neuron fires that strongly, on a logarithmic scale; the "
    "examples come from the blue bars, their look-alikes from left of the dashed line. Counted "
    "from the activations that came with the run."
)


def activation_histogram(view: NeuronView) -> None:
    """Draws the histogram; says the same in words for those who cannot see it."""
    facts = (
        f"average {number(view.mean)}, strongest {number(view.maximum)}, "
        f"above zero on {view.share_firing:.0%} of the images"
    )
    with st.container(key="activation-histogram", gap="xxsmall"):
        st.markdown(f"**How strongly it fires on each image** · {facts}", help=HELP)
        st.plotly_chart(
            _figure(view),
            key="histogram",
            height=HEIGHT,
            config={"displayModeBar": False},
            alt=f"Histogram of the activations of neuron {view.neuron} on all images: {facts}.",
        )


def _figure(view: NeuronView) -> go.Figure:
    edges, counts = view.histogram.edges, view.histogram.counts
    middles = (edges[:-1] + edges[1:]) / 2
    weakest = min((pair.activation for pair in view.pairs), default=float("inf"))
    # Sky blue and vermilion of the Okabe-Ito palette read on the light and the dark ground alike.
    colours = ["#3A93C8" if right > weakest else "#9AA5AD" for right in edges[1:]]
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=edges[1:] - edges[:-1],
            marker={"color": colours, "line": {"width": 0}},
            hovertemplate="%{y} images near %{x:.3g}<extra></extra>",
        )
    )
    figure.add_vline(
        x=view.mean,
        line={"color": "#D9730D", "width": 2, "dash": "dash"},
        annotation={"text": "average", "font": {"color": "#D9730D", "size": 12}},
        annotation_position="top right",
    )
    figure.update_yaxes(type="log", title=None, showgrid=False, dtick=1, fixedrange=True)
    figure.update_xaxes(title=None, showgrid=False, fixedrange=True)
    figure.update_layout(
        margin={"l": 34, "r": 4, "t": 4, "b": 18}, bargap=0, showlegend=False, dragmode=False
    )
    return figure
