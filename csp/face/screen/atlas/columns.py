"""The columns of the table of neurons: what each is called, what it means, and how its cell is drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from csp.face.screen.atlas.facts import (
    Facts,
    doubt_badges,
    label_lines,
    notes,
    persons_line,
    review_badges,
    strongest_images,
)
from csp.face.screen.elements.components import Cell
from csp.face.screen.elements.score_cell import Track, score_cell, track
from csp.face.screen.url.params import Params, some_of
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import percent, plain, score
from csp.keeping.run_folder.run import Run
from csp.work.attribution.class_attribution import HOW
from csp.work.labels.chance import chance_lines
from csp.work.labels.rows import ScoreRange
from csp.work.metrics.metric import Number
from csp.work.metrics.registry import NUMBERS, table_numbers
from csp.work.neurons.rows import NeuronRows
from csp.work.reliance.words import signed

IMAGES = 4
NOT_MEASURED = "How well the label predicts when the neuron fires; not measured in this run"


@dataclass(frozen=True)
class Context:
    """What cells need besides their row."""

    run: Run
    rows: NeuronRows
    scores: Track
    """What the bars of the scores are drawn on."""
    usual_state: str
    """The most frequent state of the layer, not worth a note."""


@dataclass(frozen=True)
class TableColumn:
    """A column: its head, the column of the rows that a click sorts by, and its cell."""

    name: str
    help: str
    sorts: str
    cell: Callable[[Facts, Context], Cell]
    numeric: bool = False


def context_of(run: Run, rows: NeuronRows, usual: ScoreRange | None) -> Context:
    """The context of a layer's cells."""
    on = track(rows.frame["score"].tolist(), usual)
    return Context(run, rows, on, str(rows.frame["state"].mode()[0]))


def columns_of(rows: NeuronRows) -> dict[str, TableColumn]:
    """All columns, by their name in the address."""
    people = bool((rows.frame["source"] == "person").any())
    return {
        "neuron": TableColumn("Neuron", "Its number in the layer", "neuron", _number),
        "pictures": TableColumn(
            "Fires most for", "The images that activate it most, strongest first", "", _images
        ),
        "label": TableColumn(
            "Label" if people else "The machine suggests",
            "A person's label where there is one, else the first that the machine suggests",
            "label",
            lambda facts, _: (
                "lines",
                label_lines(facts) if people else (label_lines(facts)[0], persons_line(facts)),
            ),
        ),
        "score": TableColumn(
            "Score",
            "Score of the machine's label by the method that comes first. Grey stretch: where suggested "
            "labels usually lie",
            "score",
            _score,
            True,
        ),
        "chance": TableColumn(
            "True",
            "How likely the machine's label is to be true",
            "chance",
            _chance,
        ),
        "lead": TableColumn(
            "Ahead by",
            "Score of the machine's label minus that of the best one that means something else, named below. "
            "Small is a close call",
            "lead",
            _lead,
            True,
        ),
        "faithful": TableColumn(
            "Faithful",
            NUMBERS[rows.faithful_by].what if rows.faithful_by else NOT_MEASURED,
            "faithful",
            lambda facts, _: ("text", _known(facts["faithful"], lambda value: f"{value:.2f}")),
            True,
        ),
        **{number.name: _measured(number) for number in table_numbers()},
        "doubt": TableColumn(
            "Doubts",
            "What speaks against the machine's label. The order goes by how likely it is to be true or, "
            "where that was not worked out, by how far it is ahead and how faithful it is",
            "doubt",
            lambda facts, _: ("badges", doubt_badges(facts)),
        ),
        "push": TableColumn(
            "Pushes towards",
            "The class that it speaks for most; below, how much"
            + (f" ({HOW[rows.attribution_how]})" if rows.attribution_how else ""),
            "push",
            _towards,
        ),
        "firing": TableColumn(
            "Fires on",
            "Share of images with an activation above zero",
            "share_firing",
            lambda facts, _: ("text", percent(facts["share_firing"])),
            True,
        ),
        "review": TableColumn("Review", "What people said of it", "review", _review),
        "notes": TableColumn(
            "Notes", "What sets it apart, such as a label that names an artefact", "state", _notes
        ),
    }


def _measured(number: Number) -> TableColumn:
    """The column of a number that `csp evaluate` measures."""
    assert number.column is not None
    return TableColumn(
        number.column.head,
        number.column.help,
        number.name,
        lambda facts, _: ("text", _known(facts[number.name], number.words)),
        True,
    )


ALWAYS = ("neuron", "pictures", "label")
SELDOM = ("firing", "faithful")
"""Shown only when asked for: after a ReLU most neurons fire on almost every image; doubts say what is low."""


def chosen_columns(params: Params, rows: NeuronRows) -> list[str]:
    """The columns in the address, in our order; without any, all that were measured but one."""
    names = list(columns_of(rows))
    wanted = some_of(params, "columns", names)
    frame = rows.frame
    seldom = {number.name for number in table_numbers() if number.column and not number.column.shown}
    known = ("chance", "faithful", "push", *(number.name for number in table_numbers()))
    gone = {*SELDOM, *seldom, *(name for name in known if frame[name].isna().all())}
    return [name for name in names if name in ALWAYS or (name in wanted if wanted else name not in gone)]


def column_picker(rows: NeuronRows, chosen: list[str]) -> None:
    """The menu of columns."""
    columns = columns_of(rows)
    with st.popover("Columns", icon=":material/view_column:", type="tertiary"):
        follow("columns", [name for name in chosen if name not in ALWAYS])
        st.pills(
            "Columns to show",
            [name for name in columns if name not in ALWAYS],
            selection_mode="multi",
            key="columns",
            format_func=lambda name: plain(columns[name].name),
            on_change=write,
            args=("columns",),
        )


def _label(facts: Facts, _: Context) -> Cell:
    return "lines", label_lines(facts)


def _machine_label(facts: Facts, _: Context) -> Cell:
    return "lines", (
        label_lines(facts)[0],
        persons_line(facts),
    )  # all are the machine's: no need to say whose


def _chance(facts: Facts, _: Context) -> Cell:
    if pd.isna(facts["chance"]):
        return "quiet", "–"
    tenths, word = chance_lines(float(facts["chance"]))
    return "lines", (tenths.replace(" ", "\u00a0"), word)  # one line each


def _number(facts: Facts, _: Context) -> Cell:
    return "text", str(facts["neuron"])


def _images(facts: Facts, context: Context) -> Cell:
    return "images", strongest_images(context.run, facts, IMAGES)


def _score(facts: Facts, context: Context) -> Cell:
    return "score", score_cell(float(facts["score"]), None, context.scores)


def _lead(facts: Facts, _: Context) -> Cell:
    if pd.isna(facts["lead"]):
        return "quiet", "–"
    return "lines", (score(facts["lead"]), f"of {facts['rival']}" if facts["rival"] else "")


def _towards(facts: Facts, _: Context) -> Cell:
    if not isinstance(facts["push_class"], str):
        return "quiet", "–"
    return "lines", (facts["push_class"], signed(facts["push"], 2))


def _review(facts: Facts, _: Context) -> Cell:
    return "badges", review_badges(facts)


def _notes(facts: Facts, context: Context) -> Cell:
    return "badges", notes(facts, context.usual_state)


def _known(value: Any, words: Callable[[float], str]) -> str:
    return "–" if pd.isna(value) else words(float(value))
