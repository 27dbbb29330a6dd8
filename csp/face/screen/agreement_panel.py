"""How far reviewers agree beyond chance, and where they do not."""

import math
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from csp.face.screen import record
from csp.face.screen.components import Cell, Column, Row, row_table
from csp.face.screen.verdict_words import DONE, name
from csp.keeping.reviews.event import Who
from csp.keeping.reviews.words import Act
from csp.work.explorer import Explorer
from csp.work.reviewing_agreement import agreement, conflicts

KAPPA = (
    "Agreement beyond chance (Cohen's kappa of two people, Fleiss' of all): 1 is full agreement, 0 what "
    "chance would give. With few neurons it says little."
)
PAIRS = (
    Column("Reviewers"),
    Column("Kappa", KAPPA, numeric=True),
    Column("Same verdict", "Share of neurons with the same verdict", numeric=True),
    Column("Neurons", "Judged by both, or by two of them", numeric=True),
)
DISPUTES = (Column("Neuron"), Column("Layer"), Column("The machine"), Column("People"))


def agreement_panel(explorer: Explorer) -> None:
    """Both, closed until someone wants to see them."""
    states = record.standing(explorer).states() if record.is_there() else {}
    found, open_ones = agreement(states), conflicts(states)
    title = f"Agreement of {len(found['reviewers'])} reviewers, {len(open_ones)} disputes"
    with st.container(key="agreement"), st.expander(title):
        if not found["pairs"]:
            st.caption("Agreement can be measured as soon as two people have judged the same neurons.")
            return
        row_table("Agreement of reviewers", PAIRS, _agreement_rows(found), key="agreement-table")
        if open_ones:
            st.markdown("**Disputes.** Someone who took no part can settle them: queue *Disagreements*.")
            rows = [_dispute_row(explorer, one) for one in open_ones]
            row_table("Disputes", DISPUTES, rows, key="dispute-table")


def _agreement_rows(found: dict[str, Any]) -> list[Row]:
    rows = [(f"{pair['left']} and {pair['right']}", pair) for pair in found["pairs"]]
    if found["fleiss"]:
        rows.append(("all", found["fleiss"]))
    return [
        Row(
            [
                ("text", people),
                ("text", _number(one["kappa"])),
                ("text", f"{one['observed']:.0%}" if one["n"] else "–"),
                ("text", str(one["n"])),
            ]
        )
        for people, one in rows
    ]


def _dispute_row(explorer: Explorer, one: dict[str, Any]) -> Row:
    address = {"run": explorer.run.name, "layer": one["layer"], "neuron": one["neuron"]}
    sides = (
        f"{name(Who(side['reviewer'], side['verified']))}: {side['label'] or DONE[Act(side['verdict'])]}"
        for side in one["verdicts"]
    )
    cells: list[Cell] = [
        ("text", str(one["neuron"])),
        ("text", one["layer"]),
        ("quiet", one["machine_label"] or "–"),
        ("text", " · ".join(sides)),
    ]
    return Row(cells, href=f"review?{urlencode(address | {'queue': 'disagreements'})}")


def _number(kappa: float) -> str:
    return "not defined" if math.isnan(kappa) else f"{kappa:.2f}"
