"""The audit at a glance: how much was checked, what was overruled, how people agree, what is open."""

import math
from urllib.parse import urlencode

import streamlit as st

from csp.face.screen.components import Column, Row, row_table
from csp.face.screen.words import spot
from csp.work.artefacts import ArtefactNeuron
from csp.work.audit import Audit

GROUPS = {"abcde": "ABCDE rule", "7-point": "7-point checklist"}


def headline(audit: Audit, artefacts: list[ArtefactNeuron]) -> None:
    """Five numbers, each with a line that says what it is."""
    total = sum(layer.neurons for layer in audit.coverage.values())
    overruled = percent(audit.overridden.value)
    checked, overridden, disputes, spurious, record = st.container(key="audit-headline").columns(5)
    checked.metric(
        "Neurons checked",
        f"{audit.decided:,} of {total:,}",
        help="A person decided on the label.",
        border=True,
    )
    overridden.metric(
        "Got another label",
        overruled,
        help="Of those decided: the person's label is not the machine's.",
        border=True,
    )
    disputes.metric(
        "Open disputes", len(audit.disputes), help="People's latest decisions differ.", border=True
    )
    spurious.metric(
        "Artefact neurons",
        len(artefacts),
        help="Their label or tag names a ruler, hair, sticker, ...",
        border=True,
    )
    record.metric(
        "Review record",
        "sound" if audit.finding.ok else "damaged",
        help=f"{audit.finding.events:,} events, each sealed with the hash of the one before.",
        border=True,
    )


def coverage_table(audit: Audit) -> None:
    """By layer: how far people got."""
    columns = [
        Column("Layer"),
        Column("Neurons", numeric=True),
        Column("Checked", "A person confirmed, replaced or rejected the label", numeric=True),
        Column("Share", numeric=True),
        Column("Unsure", "Looked at, but nobody could tell", numeric=True),
        Column("In dispute", numeric=True),
        Column("Second look asked", numeric=True),
    ]
    rows = [
        Row(
            [
                ("text", layer),
                *(
                    ("text", str(cell))
                    for cell in (
                        row.neurons,
                        row.checked,
                        percent(row.checked / row.neurons if row.neurons else math.nan),
                        row.unsure,
                        row.disputed,
                        row.second_look,
                    )
                ),
            ]
        )
        for layer, row in audit.coverage.items()
    ]
    row_table("What was checked", columns, rows, key="audit-coverage")


def overruled_line(audit: Audit) -> None:
    """How often people disagreed with the machine, with the interval."""
    share = audit.overridden
    if not share.n:
        st.caption(
            "Nobody has decided on a neuron of this run yet: all labels are the machine's suggestions."
        )
        return
    parts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(audit.decisions.items()))
    st.markdown(
        f"People gave another label than the machine to **{percent(share.value)}** of {share.n:,} neurons "
        f"(95 % interval {percent(share.low)} to {percent(share.high)}): {parts}."
    )


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


def criteria_table(audit: Audit) -> None:
    """Which clinical criteria the neurons speak of, and which of these were checked."""
    columns = [
        Column("Criterion"),
        Column("Neurons", "Their label in force speaks of it", numeric=True),
        Column("Checked", "Of these, how many a person decided on", numeric=True),
        Column("Tagged", "Neurons that a person tagged with it", numeric=True),
    ]
    for group, words in GROUPS.items():
        rows = [
            Row(
                [
                    ("text", row.words),
                    *(("text", str(n)) for n in (len(row.labelled), row.checked, len(row.tagged))),
                ]
            )
            for row in audit.criteria
            if row.group == group
        ]
        st.markdown(f"**{words}**")
        row_table(words, columns, rows, key=f"audit-{group}")
    st.caption("Evolution cannot be seen in one image.")


def disputes_list(audit: Audit, run: str) -> None:
    """Every open dispute with both sides, and the way to the neuron."""
    rows = [
        Row(
            [
                ("text", spot(dispute["layer"], dispute["neuron"])),
                ("text", "; ".join(_said(one) for one in dispute["verdicts"])),
                ("text", dispute["machine_label"] or "–"),
            ],
            href="neuron?" + urlencode({"run": run, "layer": dispute["layer"], "neuron": dispute["neuron"]}),
        )
        for dispute in audit.disputes
    ]
    if not rows:
        st.caption("No dispute is open.")
        return
    columns = [Column("Neuron"), Column("What people said"), Column("The machine suggested")]
    row_table("Open disputes", columns, rows, key="audit-disputes")


def percent(share: float) -> str:
    """A share as a whole percentage; a dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


def kappa(value: float) -> str:
    """A kappa; a dash where it is not defined."""
    return "–" if math.isnan(value) else f"{value:.2f}"


def _said(verdict: dict[str, str | None]) -> str:
    label = f" “{verdict['label']}”" if verdict["label"] else ""
    reason = f" ({verdict['reason']})" if verdict["reason"] else ""
    return f"{verdict['reviewer']}: {verdict['verdict']}{label}{reason}"
