"""The links at the top of every page, in quiet groups: look, judge, keep, show."""

import streamlit as st

from csp.keeping.bundle import BUNDLE

GROUPS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("app.py", "Start"),),
    (
        ("pages/neurons.py", "Neurons"),
        ("pages/search.py", "Search"),
        ("pages/classes.py", "Classes"),
        ("pages/reliance.py", "What it leans on"),
        ("pages/compare.py", "Compare"),
        ("pages/try.py", "Try an image"),
    ),
    (("pages/review.py", "Review"), ("pages/audit.py", "Audit")),
    (("pages/runs.py", "Runs"), ("pages/present.py", "Present")),
)
"""File and name of each page; a page's name is the title it gives to `frame`."""

INSIDE = {"Neuron": "Neurons"}
"""Pages that are reached through another one, which is marked while they are open."""

STAYS = ("run", "layer")
"""What the address keeps on the way to another page."""


def navigation(title: str) -> None:
    """Draws the links; the page one is on is marked, and its link asks for this very view."""
    params = st.query_params.to_dict()
    kept = {name: value for name, value in params.items() if name in STAYS}
    here = INSIDE.get(title, title)
    for position, group in enumerate(_existing(GROUPS)):
        if position:
            st.html('<span class="csp-gap" aria-hidden="true"></span>', width="content")
        for page, name in group:
            # A link to the page one is on leaves the address as it is, so it must ask for just that.
            st.page_link(page, label=_label(name, here), query_params=params if name == title else kept)


def link_name(title: str) -> str:
    """What the link says that stands for a page of this title."""
    name = INSIDE.get(title, title)
    return "CSP Explorer" if name == "Start" else name


def _label(name: str, here: str) -> str:
    shown = link_name(name)
    return f"**{shown}**" if name in ("Start", here) else shown


def _existing(groups: tuple[tuple[tuple[str, str], ...], ...]) -> list[list[tuple[str, str]]]:
    there = [[(page, name) for page, name in group if (BUNDLE / page).is_file()] for group in groups]
    return [group for group in there if group]
