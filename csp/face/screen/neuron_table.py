"""The table of a layer's neurons: pictures, label, score, doubt; a row opens its neuron."""

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from csp.face.screen.components import Cell, Column, Row, row_table
from csp.face.screen.pictures import source
from csp.face.screen.score_cells import score_cell
from csp.face.screen.words import STATES, number, score
from csp.keeping.run import Run
from csp.method.states import NeuronState
from csp.work.views import ScoreRange

PICTURES = 6
COLUMNS = (
    Column("Neuron"),
    Column("Fires most for", "The images that activate it most, strongest first"),
    Column("The machine suggests", "The vocabulary's best label under CSP"),
    Column(
        "Score",
        "CSP score: cosine, -1 to 1. Grey stretch: where first labels of this layer usually lie",
        True,
    ),
    Column("Ahead by", "Score of the first label minus that of the second: small means doubtful", True),
    Column("Fires on", "Share of images with an activation above zero", True),
    Column("Note", "What sets it apart from most neurons of this layer"),
)


def neuron_table(
    run: Run, layer: str, page: pd.DataFrame, whole: pd.DataFrame, usual: ScoreRange | None
) -> None:
    """Draws one page of the table; a click on a row opens its neuron."""
    usual_state = whole["state"].mode()[0]
    rows = [
        _row(run, layer, facts, usual_state, score_cell(float(facts["score"]), None, whole["score"], usual))
        for facts in page.to_dict("records")
    ]
    with st.container(key="neuron-table"):
        row_table(f"Neurons of {layer}", COLUMNS, rows, key="neuron-rows")


def _row(run: Run, layer: str, facts: dict[Any, Any], usual_state: str, score_bar: dict[str, Any]) -> Row:
    neuron = int(facts["neuron"])
    label = facts["label"] if isinstance(facts["label"], str) else ""
    cells: list[Cell] = [
        ("text", str(neuron)),
        ("images", _pictures(run, facts)),
        ("text", label) if label else ("quiet", "no label"),
        ("score", score_bar),
        ("text", score(facts["margin"]) if facts["margin"] == facts["margin"] else "–"),
        ("text", f"{facts['share_firing']:.0%}"),
        ("quiet", "" if facts["state"] == usual_state else STATES[facts["state"]]),
    ]
    address = "neuron?" + urlencode({"run": run.name, "layer": layer, "neuron": neuron})
    hint = facts["sentence"] or f"Average {number(facts['mean'])}, strongest {number(facts['maximum'])}"
    return Row(cells, href=address, hint=hint)


def _pictures(run: Run, facts: dict[Any, Any]) -> list[dict[str, str]]:
    """The strongest images; none for a neuron that fires for nothing."""
    if facts["state"] == NeuronState.NEVER_FIRES:
        return []
    return [
        {"src": source(run, int(image)), "alt": f"Image {image}, no. {place} of neuron {facts['neuron']}"}
        for place, image in enumerate(facts["top_images"][:PICTURES], 1)
    ]
