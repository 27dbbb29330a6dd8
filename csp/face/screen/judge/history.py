"""The history of a neuron's label: every event, old and new label, who, when, why. Nothing is ever erased."""

import streamlit as st

from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.review_wording import name, said, standing, tags
from csp.face.screen.state.cached import reviewed
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView

COLUMNS = (
    Column("When", "UTC, by the clock of the machine that recorded it; the order is that of recording"),
    Column("Who", "(name not checked): it was only typed"),
    Column("Said"),
    Column("Label before", "The label in force until then"),
    Column("The machine's", "What the machine suggested at that time; no verdict erases it"),
    Column("Why"),
    Column("Tags"),
    Column("", "Whether it still counts"),
)


def review_history(explorer: Explorer, view: NeuronView) -> None:
    """All that was said about the neuron, newest first."""
    state = reviewed(explorer, view.layer).get(view.neuron, NeuronReview())
    with st.container(key="review-history"), st.expander(f"Review history ({len(state.events)})"):
        if not state.events:
            st.caption(
                "Nobody has judged this neuron yet. What the keys at the foot of the page do is kept here."
            )
            return
        st.markdown(standing(state))
        rows = [_row(event, state) for event in reversed(state.events)]
        row_table(f"Review history of neuron {view.neuron}", COLUMNS, rows, key="review-history-table")


def _row(event: Event, state: NeuronReview) -> Row:
    cells: list[Cell] = [
        ("text", f"{event.at:%d %b %Y, %H:%M:%S}"),
        ("text", name(event.who)),
        ("text", _said(event, state)),
        ("quiet", event.label_before or "–"),
        ("quiet", event.machine_label or "–"),
        ("text", event.reason or "–"),
        ("text", tags(event) or "–"),
        ("quiet", "taken back" if event.token in state.undone else _kind(event)),
    ]
    return Row(cells, hint=f"Event {event.sequence}, hash {event.hash[:16]}", strong=event is state.deciding)


def _said(event: Event, state: NeuronReview) -> str:
    undone = next((one for one in state.events if one.token == event.undoes), None)
    return said(event) if undone is None else f"takes back: {said(undone)}"


def _kind(event: Event) -> str:
    notes = ("blind" if event.blind else "", "imported" if event.imported else "")
    return ", ".join(note for note in notes if note)
