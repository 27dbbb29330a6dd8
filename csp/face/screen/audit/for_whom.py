"""How good the model is, for whom: its numbers by any column of the dataset, drawn and in a table."""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from csp.errors import BadInputError
from csp.face.screen.audit.numbers import interval, percent
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import as_sentence, plain
from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import Interval
from csp.work.attribution.model_card import (
    AS_DECIDED,
    ClassNumbers,
    GroupNumbers,
    ModelCard,
    Which,
    model_card,
)
from csp.work.explorer.explorer import Explorer
from csp.work.labels.vocabulary import shown_name
from csp.work.subgroups import SMALL, offered_columns

NUMBERS: dict[Which, tuple[str, str]] = {
    "sensitivity": (AS_DECIDED, "Of the images of this class, the share that the model calls so"),
    "specificity": ("Specificity as decided", "Of all other images, the share that it does not call so"),
    "auroc": (
        "AUROC",
        "How often an image of this class gets a higher probability than another: 0.5 is chance, 1 best",
    ),
}
TONE, PALE = "#0072B2", "#8A8F94"
ROW, FRAME = 30, 70
"""Pixels of a group in the picture, and of what stands around."""
NONE = "none"


def for_whom(explorer: Explorer, params: Params) -> None:
    """Choices, then what differs in words, the picture and the table."""
    columns = offered_columns(explorer.run)
    column = one_of(params, "by", (*columns, NONE), columns[0] if columns else NONE)
    try:
        with st.spinner("Counting how often the model is right …"):
            card = model_card(explorer, None if column == NONE else column)
    except BadInputError as error:
        st.info(as_sentence(error))
        return
    names = [one.name for one in card.all.classes]
    name = one_of(params, "class", names, names[0])
    place = names.index(name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _picker(
            "by",
            (*columns, NONE),
            column,
            lambda one: "All images" if one == NONE else f"By {shown_name(explorer.run, one)}",
        )
        _picker("class", names, name, str)
    st.markdown(_head(card))
    st.markdown(f"**{plain(name)}** · {_differ(card, place)}")
    st.plotly_chart(
        _figure(card, place),
        key="for-whom",
        height=FRAME + ROW * (1 + len(card.groups)),
        config={"displayModeBar": False},
        alt=f"Sensitivity, specificity and AUROC for {name} by group; the table below holds them",
    )
    _table(explorer.run, card, place)
    st.caption(
        "Small numbers are 95 % intervals over the images. Sensitivity and specificity are of what "
        + (
            "the model says at 0.5."
            if card.independent
            else "the model calls an image: its most likely class."
        )
    )


def _picker(key: str, options: Sequence[str], chosen: str, words: Any) -> None:
    follow(key, chosen)
    st.selectbox(
        {"by": "By", "class": "Class"}[key],
        list(options),
        format_func=words,
        key=key,
        on_change=write,
        args=(key,),
        label_visibility="collapsed",
        width=260,
    )


def _head(card: ModelCard) -> str:
    part = "images, none of them held out" if card.part == "all" else f"{plain(card.part)} images"
    return (
        f"On {card.all.n:,} {part} with a label, the model is right on "
        f"**{percent(card.all.accuracy.value)}** ({interval(card.all.accuracy)}); how sure it is and how "
        "often it is right are "
        f"{percent(card.all.calibration.value)} apart (calibration error)."
    )


def _differ(card: ModelCard, place: int) -> str:
    """Which groups differ most, beside what chance gives."""
    if card.column is None:
        return "all images together"
    said = []
    for which, (title, _) in NUMBERS.items():
        apart = card.apart(place, which)
        if apart is not None:
            beyond = "more than" if apart.difference > apart.by_chance else "no more than"
            least, most = (f"*{plain(card.named(group))}*" for group in (apart.least, apart.most))
            said.append(
                f"{title.lower() if which != 'auroc' else title} is lowest for {least} and "
                f"{apart.difference:.2f} higher for {most}, {beyond} chance gives ({apart.by_chance:.2f})"
            )
    if not said:
        return f"no two groups hold {SMALL} images of it and {SMALL} others, so they are not compared."
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}.{_unranked(card, place)}"


def _unranked(card: ModelCard, place: int) -> str:
    """Which groups the sentence leaves out, and why; empty where it is of all."""
    small = [
        f"{plain(card.named(group.name))} ({group.classes[place].sensitivity.n:,} and "
        f"{group.classes[place].specificity.n:,})"
        for group in card.unranked(place)
    ]
    rule = f"with fewer than {SMALL} images of this class or of others"
    return f" Not ranked, {rule}: {', '.join(small)}." if small else ""


def _figure(card: ModelCard, place: int) -> go.Figure:
    """Three panels on one scale; the lowest line is all images, a dashed line goes through."""
    groups = [*card.groups, card.all][::-1]
    names = [escape(f"{one.name} ({one.n:,})") for one in groups]
    figure: dict[str, Any] = {
        "margin": {"l": 8, "r": 8, "t": 26, "b": 24},
        "showlegend": False,
        "dragmode": False,
        "shapes": [],
        "annotations": [],
        "yaxis": {"automargin": True, "fixedrange": True, "range": (-0.6, len(groups) - 0.4)},
    }
    traces = []
    for panel, (which, (title, _)) in enumerate(NUMBERS.items()):
        axis = "" if panel == 0 else str(panel + 1)
        left, right = panel * 0.345, panel * 0.345 + 0.31
        figure[f"xaxis{axis}"] = {
            "domain": (left, right),
            "range": (-0.02, 1.02),
            "fixedrange": True,
            "nticks": 5,
        }
        found = [_of(one, place, which) for one in groups]
        traces.append(
            {
                "type": "scatter",
                "x": [one.value for one in found],
                "y": names,
                "xaxis": f"x{axis}",
                "mode": "markers",
                "marker": {
                    "color": [TONE if one.classes[place].ranked else PALE for one in groups],
                    "symbol": ["circle" if one.classes[place].ranked else "circle-open" for one in groups],
                    "size": 9,
                },
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [one.high - one.value for one in found],
                    "arrayminus": [one.value - one.low for one in found],
                    "color": PALE,
                    "thickness": 1.5,
                },
                "hovertemplate": "%{x:.2f}<extra></extra>",
            }
        )
        usual = found[0].value
        if usual == usual:
            line = {"color": PALE, "width": 1, "dash": "dash"}
            figure["shapes"].append(
                {
                    "type": "line",
                    "xref": f"x{axis}",
                    "yref": "paper",
                    "x0": usual,
                    "x1": usual,
                    "y0": 0,
                    "y1": 1,
                    "line": line,
                }
            )
        figure["annotations"].append(
            {
                "text": title,
                "x": left,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    return go.Figure(data=traces, layout=figure)


def _table(run: Run, card: ModelCard, place: int) -> None:
    columns = [
        Column("Group" if card.column is None else shown_name(run, card.column).capitalize()),
        Column("Images", "Held out, with a label", numeric=True),
        Column("Of this class", "Images of the chosen class among them", numeric=True),
        *(Column(title, help_, numeric=True) for title, help_ in NUMBERS.values()),
        Column("Right", "Of all classes together: the share that the model calls rightly", numeric=True),
        Column(
            "Calibration error",
            "How far apart how sure it is and how often it is right are on average; 0 is best",
            numeric=True,
        ),
    ]
    row_table(
        "The model by group", columns, [_row(one, place) for one in (*card.groups, card.all)], key="groups"
    )


def _row(group: GroupNumbers, place: int) -> Row:
    of_class: ClassNumbers = group.classes[place]
    count = f"{of_class.sensitivity.n:,}"
    return Row(
        [
            ("text", group.name),
            ("text", f"{group.n:,}"),
            ("text", count) if of_class.ranked else ("lines", (count, "too few to compare")),
            *(_cell(one) for one in (of_class.sensitivity, of_class.specificity, of_class.auroc)),
            _cell(group.accuracy),
            _cell(group.calibration),
        ]
    )


def _cell(one: Interval) -> Cell:
    if one.value != one.value:
        return "quiet", "–"
    return "lines", (f"{one.value:.2f}", "" if one.low != one.low else f"{one.low:.2f} to {one.high:.2f}")


def _of(group: GroupNumbers, place: int, which: Which) -> Interval:
    found: Interval = getattr(group.classes[place], which)
    return found
