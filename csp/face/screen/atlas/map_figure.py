"""The map of neurons as a Plotly figure: colours told apart with any colour vision, groups by shape too."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from csp.face.screen.atlas.facts import label_lines
from csp.face.screen.wording import REVIEW_STATES, STATES
from csp.work.neurons.rows import UNREVIEWED

COLOURS = {
    "push": "Class that it pushes towards",
    "faithful": "Faithfulness",
    "stability": "Stability of the label",
    "doubt": "Doubt of the label",
    "review": "Review",
    "state": "State of the neuron",
}
NUMBERS = ("faithful", "stability", "doubt")
MEASURED = (*NUMBERS, "push")
"""What a run may lack."""
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe-Ito: told apart with any colour vision; shapes tell them apart once more."""
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "x")
OTHERS = "others"
GREY = "#8C959D"
HEIGHT = 480


def map_figure(fitting: pd.DataFrame, left_out: pd.DataFrame, colour: str) -> go.Figure:
    """The neurons, coloured by one of `COLOURS`; those left out by the filters lie pale behind.

    Both frames hold rows of `NeuronRows.frame` with `x` and `y`. A point's customdata is its neuron's number.
    """
    # Not Scattergl: Plotly compiles its shaders' code from text, which our Content-Security-Policy forbids.
    pale = _trace(left_out, "left out by filters", GREY, 0)
    pale.update(opacity=0.3)
    figure = go.Figure([pale, *_traces(fitting, colour)])
    axis = {"visible": False}
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode="lasso",
        hovermode="closest",
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        legend={"orientation": "h", "y": 0, "yanchor": "top", "x": 0},
    )
    return figure


def _traces(frame: pd.DataFrame, colour: str) -> list[go.Scatter]:
    if colour in NUMBERS:
        return [_scale(frame, colour)]
    groups = _groups(frame, colour)
    names = [name for name in groups.value_counts().index if name not in (OTHERS, REVIEW_STATES[UNREVIEWED])]
    shown = [(name, PALETTE[position], position) for position, name in enumerate(names[: len(PALETTE)])]
    rest = ~groups.isin(names[: len(PALETTE)])
    named = REVIEW_STATES[UNREVIEWED] if colour == "review" else OTHERS
    traces = [_trace(frame[rest], named, GREY, 0)] if rest.any() else []
    return traces + [_trace(frame[groups == name], name, tone, shape) for name, tone, shape in shown]


def _groups(frame: pd.DataFrame, colour: str) -> pd.Series:
    """What each neuron's colour stands for, in words."""
    if colour == "push":
        return frame["push_class"].fillna(OTHERS).astype(str)
    words = REVIEW_STATES if colour == "review" else STATES
    return frame[colour].map(words).astype(str)


def _trace(frame: pd.DataFrame, name: str, tone: str, shape: int) -> go.Scatter:
    return go.Scatter(
        x=frame["x"],
        y=frame["y"],
        name=escape(f"{name} ({len(frame):,})"),
        mode="markers",
        marker={"color": tone, "symbol": SHAPES[shape], "size": 8, "line": {"width": 0}},
        customdata=[[neuron] for neuron in frame["neuron"].tolist()],
        text=_hover(frame),
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(frame)),
    )


def _scale(frame: pd.DataFrame, colour: str) -> go.Scatter:
    trace = _trace(frame, COLOURS[colour], GREY, 0)
    bar = {"title": {"text": COLOURS[colour], "side": "right"}, "thickness": 12, "outlinewidth": 0}
    trace.marker.update(color=frame[colour], colorscale="Cividis", showscale=True, colorbar=bar)
    trace.showlegend = False
    return trace


def _hover(frame: pd.DataFrame) -> list[str]:
    facts = frame[["in_force", "above_noise"]].to_dict("records")
    labels = [label_lines(one)[0] or "no label" for one in facts]
    towards = frame["push_class"].fillna("")
    return [
        f"<b>{escape(str(label))}</b><br>neuron {neuron}"
        + (f", pushes towards {escape(str(name))}" if name else "")
        for neuron, label, name in zip(frame["neuron"], labels, towards, strict=True)
    ]
