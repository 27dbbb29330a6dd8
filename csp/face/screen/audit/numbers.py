"""The audit at a glance: how much was checked, what was overruled, how people agree, what is open."""

import math

import streamlit as st

from csp.face.screen.elements.components import Column, Row, row_table
from csp.work.reviews.artefacts import ArtefactNeuron
from csp.work.reviews.audit import Audit

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


def percent(share: float) -> str:
    """A share as a whole percentage; a dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"
