"""How far reviewers agree beyond chance, and where they do not."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from csp.face.screen.audit.numbers import percent
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.review_wording import DONE, name
from csp.face.screen.state import review_store
from csp.face.screen.url.links import link
from csp.face.screen.wording import counted, spot
from csp.keeping.reviews.event import Reviewer
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.agreement import agreement, conflicts

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
DISPUTES = (Column("Neuron"), Column("The machine suggested"), Column("What people say"))


def agreement_panel(explorer: Explorer) -> None:
    """Both tables, closed until someone wants to see them."""
    states = review_store.standing(explorer).states() if review_store.is_there() else {}
    found, open_ones = agreement(states), conflicts(states)
    people, disputes = counted(len(found["reviewers"]), "reviewer"), counted(len(open_ones), "dispute")
    with st.container(key="agreement"), st.expander(f"Agreement of {people}, {disputes}"):
        agreement_table(found)
        if open_ones:
            st.markdown("**Disputes.** Someone who took no part can settle them: queue *Disagreements*.")
            disputes_table(explorer.run, open_ones)


def agreement_table(found: Mapping[str, Any]) -> None:
    """Kappa of each pair of reviewers, and of all; `found` is what `agreement` says."""
    if not found["pairs"]:
        st.caption("Agreement can be measured as soon as two people have judged the same neurons.")
        return
    row_table("Agreement of reviewers", PAIRS, _agreement_rows(found), key="agreement-table")


def disputes_table(run: Run, disputes: Sequence[Mapping[str, Any]]) -> None:
    """Every open dispute with both sides; a row leads to where it can be settled."""
    if not disputes:
        st.caption("No dispute is open.")
        return
    row_table("Open disputes", DISPUTES, [_dispute_row(run, one) for one in disputes], key="dispute-table")


def _agreement_rows(found: Mapping[str, Any]) -> list[Row]:
    rows = [(f"{pair['left']} and {pair['right']}", pair) for pair in found["pairs"]]
    if found["fleiss"]:
        rows.append(("all", found["fleiss"]))
    return [
        Row(
            [
                ("text", people),
                ("text", _number(one["kappa"])),
                ("text", percent(one["observed"])),
                ("text", str(one["n"])),
            ]
        )
        for people, one in rows
    ]


def _dispute_row(run: Run, one: Mapping[str, Any]) -> Row:
    href = link("review", run=run.name, layer=one["layer"], neuron=one["neuron"], queue="disagreements")
    cells: list[Cell] = [
        ("text", spot(one["layer"], one["neuron"])),
        ("quiet", one["machine_label"] or "–"),
        ("text", " · ".join(map(_side, one["verdicts"]))),
    ]
    return Row(cells, href=href)


def _side(side: Mapping[str, Any]) -> str:
    who = name(Reviewer(side["reviewer"], side["verified"]))
    reason = f" ({side['reason']})" if side["reason"] else ""
    return f"{who}: {side['label'] or DONE[Action(side['verdict'])]}{reason}"


def _number(kappa: float) -> str:
    return "not defined" if math.isnan(kappa) else f"{kappa:.2f}"
