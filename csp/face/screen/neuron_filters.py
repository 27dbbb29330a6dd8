"""Which neurons the table shows, in which order: read from the address, changed by the bar above it."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from csp.face.screen.address import follow, write
from csp.face.screen.place import Params, choice, whole_number
from csp.face.screen.steering import layer_picker, run_picker
from csp.face.screen.words import STATES
from csp.keeping.run import Run

PAGE = 20
ANY = "any"
FIRST_PAGE = ("page",)
ORDERS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "doubt": ("Most doubtful first", lambda frame: frame.sort_values("margin", kind="stable")),
    "clear": ("Clearest first", lambda frame: frame.sort_values("margin", ascending=False, kind="stable")),
    "score": (
        "Highest score first",
        lambda frame: frame.sort_values("score", ascending=False, kind="stable"),
    ),
    "low": ("Lowest score first", lambda frame: frame.sort_values("score", kind="stable")),
    "label": ("By label", lambda frame: frame.sort_values(["label", "neuron"])),
    "number": ("By number", lambda frame: frame.sort_values("neuron")),
}


@dataclass(frozen=True)
class Filters:
    """Words that a label must contain, a state or ANY, and an order of ORDERS."""

    words: str
    state: str
    order: str

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The neurons that fit, in order; the words may also be a neuron's number."""
        if self.state != ANY:
            frame = frame[frame["state"] == self.state]
        if self.words:
            named = frame["label"].str.contains(self.words, case=False, regex=False, na=False)
            frame = frame[named.astype(bool) | (frame["neuron"].astype(str) == self.words)]
        return ORDERS[self.order][1](frame)


def chosen_filters(params: Params) -> Filters:
    """The filters in the address; raises WrongAddressError for a state or order that does not exist."""
    return Filters(
        words=params.get("q", "").strip(),
        state=choice(params, "state", [ANY, *STATES], ANY),
        order=choice(params, "sort", list(ORDERS), "doubt"),
    )


def filter_bar(run: Run, layer: str, filters: Filters, frame: pd.DataFrame) -> None:
    """Pickers and filters; whatever changes leads back to the first page."""
    found = frame["state"].value_counts()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        st.subheader("Neurons", anchor=False, width="content")
        layer_picker(run, layer)
        run_picker(run)
        st.space("stretch")
        _words(filters.words)
        _select("state", [ANY, *STATES], filters.state, lambda state: _state(state, found), 240)
        _select("sort", list(ORDERS), filters.order, lambda order: ORDERS[order][0], 200)


def page_bar(params: Params, found: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """How many neurons fit, and the leaves of the table; returns the rows of the chosen page."""
    pages = max(1, -(-len(found) // PAGE))
    page = whole_number(params, "page", 1, pages, 1)
    with st.container(horizontal=True, vertical_alignment="center", key="page-bar"):
        fit = "all" if len(found) == len(frame) else f"{len(found)} of"
        st.caption(f"{fit} {len(frame)} neurons", width="content")
        st.space("stretch")
        if pages > 1:
            follow("page", page)
            st.pagination(pages, key="page", on_change=write, args=("page",))
    if found.empty:
        st.info("No neuron fits these filters. Clear the words, or choose any state.")
    return found.iloc[(page - 1) * PAGE : page * PAGE]


def _words(words: str) -> None:
    follow("q", words)
    st.text_input(
        "Label contains",
        key="q",
        placeholder="Find a label or number",
        type="search",
        on_change=write,
        args=("q", FIRST_PAGE),
        label_visibility="collapsed",
        width=240,
    )


def _select(name: str, options: list[str], chosen: str, words: Callable[[str], str], width: int) -> None:
    follow(name, chosen)
    st.selectbox(
        name.capitalize(),
        options,
        key=name,
        format_func=words,
        on_change=write,
        args=(name, FIRST_PAGE),
        label_visibility="collapsed",
        width=width,
    )


def _state(state: str, found: pd.Series) -> str:
    return "Any state" if state == ANY else f"{STATES[state].capitalize()} ({found.get(state, 0)})"
