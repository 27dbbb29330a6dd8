"""How far reviewers agree beyond chance, and where they do not."""

import math
from typing import Any

import streamlit as st

from csp.face.screen.audit.numbers import percent
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.review_wording import DONE, name
from csp.face.screen.state import review_store
from csp.face.screen.url.links import link, neuron_link
from csp.face.screen.wording import spot
from csp.keeping.reviews.event import Reviewer
from csp.keeping.reviews.vocabulary import Action
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.agreement import agreement, conflicts
from csp.work.reviews.audit import Audit

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
    states = review_store.standing(explorer).states() if review_store.is_there() else {}
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
    href = link(
        "review", run=explorer.run.name, layer=one["layer"], neuron=one["neuron"], queue="disagreements"
    )
    sides = (
        f"{name(Reviewer(side['reviewer'], side['verified']))}: "
        f"{side['label'] or DONE[Action(side['verdict'])]}"
        for side in one["verdicts"]
    )
    cells: list[Cell] = [
        ("text", str(one["neuron"])),
        ("text", one["layer"]),
        ("quiet", one["machine_label"] or "–"),
        ("text", " · ".join(sides)),
    ]
    return Row(cells, href=href)


def _number(kappa: float) -> str:
    return "not defined" if math.isnan(kappa) else f"{kappa:.2f}"


def agreement_table(audit: Audit) -> None:
    """Kappa of each pair of reviewers, and of all."""
    pairs = audit.agreement["pairs"]
    if not pairs:
        st.caption("Fewer than two people have reviewed this run, so there is no agreement to report.")
        return
    columns = [
        Column("Reviewers"),
        Column("Kappa", "Cohen's kappa: 1 is full agreement, 0 is what chance gives", numeric=True),
        Column("Same verdict", numeric=True),
        Column("Neurons both judged", numeric=True),
    ]
    rows = [
        Row(
            [
                ("text", f"{pair['left']}, {pair['right']}"),
                ("text", kappa(pair["kappa"])),
                ("text", percent(pair["observed"])),
                ("text", str(pair["n"])),
            ]
        )
        for pair in pairs
    ]
    row_table("Agreement of reviewers", columns, rows, key="audit-agreement")
    if fleiss := audit.agreement["fleiss"]:
        st.caption(f"All reviewers together (Fleiss' kappa): {kappa(fleiss['kappa'])}, n = {fleiss['n']}")


def disputes_list(audit: Audit, run: str) -> None:
    """Every open dispute with both sides, and the way to the neuron."""
    rows = [
        Row(
            [
                ("text", spot(dispute["layer"], dispute["neuron"])),
                ("text", "; ".join(_said(one) for one in dispute["verdicts"])),
                ("text", dispute["machine_label"] or "–"),
            ],
            href=neuron_link(run, dispute["layer"], dispute["neuron"]),
        )
        for dispute in audit.disputes
    ]
    if not rows:
        st.caption("No dispute is open.")
        return
    columns = [Column("Neuron"), Column("What people said"), Column("The machine suggested")]
    row_table("Open disputes", columns, rows, key="audit-disputes")


def kappa(value: float) -> str:
    """A kappa; a dash where it is not defined."""
    return "–" if math.isnan(value) else f"{value:.2f}"


def _said(verdict: dict[str, str | None]) -> str:
    label = f" “{verdict['label']}”" if verdict["label"] else ""
    reason = f" ({verdict['reason']})" if verdict["reason"] else ""
    return f"{verdict['reviewer']}: {verdict['verdict']}{label}{reason}"
