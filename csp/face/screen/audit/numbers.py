"""The audit at a glance: how much was checked, what was overruled, how people agree, what is open."""

import math

import streamlit as st

from csp.face.screen.elements.components import Column, Row, row_table
from csp.face.screen.state.cached import guesses
from csp.face.screen.wording import NOISE_HELP, by_chance, counted, plain
from csp.keeping.reviews.vocabulary import COUNTED, Action
from csp.method.metrics.statistics import Interval
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.artefacts import (
    ArtefactNeuron,
    artefacts_by_chance,
    artefacts_by_first_label,
    artefacts_untrained,
)
from csp.work.reviews.audit import Audit

GROUPS = {"abcde": "ABCDE rule", "7-point": "7-point checklist", "skin": "Skin"}


def headline(explorer: Explorer, audit: Audit, artefacts: list[ArtefactNeuron]) -> None:
    """Five numbers, each with a line that says what it is."""
    total = sum(layer.neurons for layer in audit.coverage.values())
    error = audit.sample.error
    checked, wrong, disputes, spurious, record = st.container(key="audit-headline").columns(5)
    checked.metric(
        "Neurons checked",
        f"{audit.decided:,} of {total:,}",
        help="A person decided on the label, whichever queue the neuron came from.",
        border=True,
    )
    wrong.metric(
        "Machine's labels wrong",
        percent(error.value),
        help=(
            f"{interval(error)}, from {counted(error.n, 'decision')} on the queue Random sample alone."
            if error.n
            else "Known once people judge the queue Random sample: the other queues are no fair sample."
        ),
        border=True,
    )
    disputes.metric(
        "Open disputes", len(audit.disputes), help="People's latest decisions differ.", border=True
    )
    noise = [artefacts_by_chance(explorer, layer) for layer in explorer.run.layers]
    untrained = [artefacts_untrained(explorer, layer) for layer in explorer.run.layers]
    chance, both = by_chance(noise), by_chance(noise, untrained)
    first = sum(artefacts_by_first_label(explorer, layer) for layer in explorer.run.layers)
    beside = f"(By main labels alone {first:,}; {both}.) " if both else ""
    spurious.metric(
        f"Artefacts, {chance}" if chance else "Artefact neurons",
        len(artefacts),
        help=f"Their label or tag names a ruler, hair, sticker, ... {beside}{NOISE_HELP}",
        border=True,
    )
    if guesses(explorer):
        st.caption(GUESSES_BY_NONE)  # below the row: it is too long for one card
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
        Column("Checked", "A person confirmed or replaced it, or said that no label fits", numeric=True),
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


def sample_line(audit: Audit) -> None:
    """How often the machine's label is wrong, and that the random sample alone can tell."""
    sample = audit.sample
    if not sample.error.n:
        st.markdown(
            "**How often the machine is wrong is not known yet**: judge the queue *Random sample*. Neurons "
            "of other queues were chosen for a reason, so they can't tell."
        )
        return
    left_out = f" Not judged yet: {plain(', '.join(sample.left_out))}." if sample.left_out else ""
    st.markdown(
        f"From the queue *Random sample*: **{percent(sample.error.value)}** of the machine's labels are "
        f"wrong ({interval(sample.error)}; {counted(sample.error.n, 'decision')}, each layer weighted by its "
        f"labelled neurons).{left_out}"
    )


def sample_table(audit: Audit) -> None:
    """By layer: what the random sample says."""
    columns = [
        Column("Layer"),
        Column("Labelled neurons", "Those that the rate speaks of", numeric=True),
        Column("Looked at", "Of the neurons drawn by chance, in their order and without gaps", numeric=True),
        Column("Unsure", "Nobody could decide: counted neither as right nor as wrong", numeric=True),
        Column("Wrong", "A person replaced the machine's label, or said that no label fits", numeric=True),
        Column("Share wrong", "With its 95 % interval", numeric=True),
        Column("Not counted yet", "Judged, but behind one that nobody looked at", numeric=True),
    ]
    rows = [
        Row(
            [
                ("text", layer),
                ("text", f"{row.labelled:,}"),
                ("text", f"{row.looked_at} of {row.drawn}"),
                ("text", str(row.unsure)),
                ("text", str(row.wrong)),
                ("text", f"{percent(row.error.value)} ({interval(row.error)})" if row.error.n else "–"),
                ("text", str(row.waiting)),
            ]
        )
        for layer, row in audit.sample.layers.items()
    ]
    row_table("From the queue Random sample", columns, rows, key="audit-sample")


def overruled_line(audit: Audit) -> None:
    """What people decided, of whatever queue: a count of work, no rate of errors."""
    if not audit.decided:
        st.caption(
            "Nobody has decided on a neuron of this run yet: all labels are the machine's suggestions."
        )
        return
    parts = ", ".join(
        f"{count} {COUNTED[Action(verdict)]}" for verdict, count in sorted(audit.decisions.items())
    )
    st.markdown(
        f"From all queues together: people decided on {counted(audit.decided, 'neuron')} ({parts}) and gave "
        f"{audit.overruled:,} of them another label than the machine. Most were chosen because something "
        "spoke against their label, so this share is no error rate."
    )


def criteria_table(audit: Audit) -> None:
    """Which clinical criteria the neurons speak of, and which of these were checked."""
    columns = [
        Column("Criterion"),
        Column("Neurons", "Their label in force speaks of it", numeric=True),
        Column("By main labels", "Those of the machine, claimed, each neuron's first alone", numeric=True),
        Column("By chance", "So many main labels would, were all of noise", numeric=True),
        Column("Checked", "Of the neurons, how many a person decided on", numeric=True),
        Column("Tagged", "Neurons that a person tagged with it", numeric=True),
    ]
    for group, words in GROUPS.items():
        rows = [
            Row(
                [
                    ("text", row.words),
                    ("text", f"{len(row.labelled):,}"),
                    ("text", f"{row.by_first_label:,}"),
                    ("text", "–" if row.by_chance is None else f"{row.by_chance:,.0f}"),
                    ("text", f"{row.checked:,}"),
                    ("text", f"{len(row.tagged):,}"),
                ]
            )
            for row in audit.criteria
            if row.group == group
        ]
        st.markdown(f"**{words}**")
        row_table(words, columns, rows, key=f"audit-{group}")
    st.caption(
        "Neurons of all layers are counted, a neuron for each criterion that its label speaks of. "
        "Evolution cannot be seen in one image."
    )


def interval(share: Interval) -> str:
    """The interval of a share."""
    return f"95 % interval {percent(share.low)} to {percent(share.high)}"


def percent(share: float) -> str:
    """A share as a whole percentage; a dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"
