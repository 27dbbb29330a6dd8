"""How the labels of a neuron fare as the look-alikes are taken away more and more: a curve over gamma."""

from html import escape

import plotly.graph_objects as go
import streamlit as st

from csp.face.screen.wording import LABELERS, plain
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.compare import GAMMAS, GammaCurve, gamma_curve

COLOURS = ("#009E73", "#CC79A7", "#56B4E9", "#8A6FB0", "#8A8F94", "#B59B00", "#4E79A7", "#9C755F")
DASHES = ("solid", "dash", "dot")
HELP = (
    "How well each label fits, from look-alikes ignored (gamma 0) to all taken away that the two share "
    "(gamma 1). This is CSP alone, a cosine, -1 to 1: the label on top is its first at that contrast, and "
    "need not be the one that the machine suggests."
)
HEIGHT = 300
CSP = LABELERS["csp"]


def gamma_chart(
    explorer: Explorer, layer: str, neuron: int, marks: tuple[float, ...] = (), side: str = ""
) -> None:
    """Draws the curve of one neuron; `marks` are gammas to point out, `side` tells two of one page apart."""
    curve = gamma_curve(explorer, layer, neuron)
    with st.container(key=f"gamma-curve-{neuron}{side}", gap="xxsmall"):
        st.markdown(f"**Neuron {neuron} over the contrast, by {CSP}**", help=HELP)
        if not curve.labels:
            st.caption("This neuron never fires, so no label fits it at any contrast.")
            return
        st.caption(plain(_in_words(curve)))
        st.plotly_chart(
            _figure(curve, marks),
            key=f"curve-{neuron}{side}",
            height=HEIGHT,
            config={"displayModeBar": False},
            alt=f"{CSP} scores of labels of neuron {neuron} over gamma. {_in_words(curve)}",
        )


def _in_words(curve: GammaCurve) -> str:
    """Which label is first from which gamma on."""
    turns = [
        f"from {gamma:g} on, {label}"
        for gamma, label, before in zip(GAMMAS, curve.first, ("", *curve.first), strict=False)
        if label != before
    ]
    if len(turns) == 1:
        return f"First by {CSP} at every contrast: {curve.first[0]}."
    return f"First by {CSP}: " + "; ".join(turns) + "."


def _figure(curve: GammaCurve, marks: tuple[float, ...]) -> go.Figure:
    figure = go.Figure()
    for position, (label, scores) in enumerate(zip(curve.labels, curve.scores, strict=True)):
        figure.add_trace(
            go.Scatter(
                x=GAMMAS,
                y=scores,
                name=escape(label if len(label) <= 34 else f"{label[:33]}…"),
                mode="lines",
                line={
                    "color": COLOURS[position % len(COLOURS)],
                    "width": 3 if label in curve.first else 1.6,
                    "dash": DASHES[position % len(DASHES)],
                },
                hovertemplate="%{y:.3f} at gamma %{x:g}",
            )
        )
    for mark in marks:
        figure.add_vline(x=mark, line={"color": "#8A8F94", "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title="Contrast (gamma)", showgrid=False, fixedrange=True, range=(0, 1))
    figure.update_yaxes(title=f"{CSP} score", fixedrange=True, nticks=5)
    figure.update_layout(
        margin={"l": 50, "r": 4, "t": 4, "b": 34},
        dragmode=False,
        # From the foot of the picture up: from the axis down, the lines of a long legend cover its title.
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 11}},
    )
    return figure
