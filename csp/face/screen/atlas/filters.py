"""Which neurons the page shows, in which order: read from the address, changed by the bars above them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from csp.face.screen.atlas.chips import Chip, chosen_chips, fitting
from csp.face.screen.atlas.orders import in_order, orders
from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.url.params import Params, one_of, text, whole_numbers
from csp.face.screen.url.state import choose, follow, put, write
from csp.face.screen.wording import counted
from csp.keeping.run_folder.run import Run

VIEWS = {"table": "Table", "cards": "Cards", "map": "Map"}
PAGE = {"table": 10, "cards": 12, "map": 6}
"""Neurons on one page, as many as a screen holds."""
FIRST_PAGE = ("page",)


@dataclass(frozen=True)
class Filters:
    """What the address asks for."""

    words: str
    """A part of the label, of an artefact that it names, or of the class pushed; or a neuron's number."""
    only: tuple[str, ...]
    """Names of chips."""
    picked: frozenset[int] | None
    """Neurons drawn around on the map, or of a list kept in the address; None: no choice."""
    order: str
    """One of `orders`."""
    view: str
    """One of `VIEWS`."""

    def apply(self, frame: pd.DataFrame, chips: Mapping[str, Chip]) -> pd.DataFrame:
        """The neurons that fit the words and chips, in order; `picked` is left to `within`."""
        frame = fitting(frame, chips, self.only)
        if self.words:
            named = [
                frame[column].str.contains(self.words, case=False, regex=False).fillna(False).astype(bool)
                for column in ("label", "machine_label", "push_class")
            ]
            wanted = self.words.casefold()
            named.append(
                frame["artefacts"].map(lambda names: any(wanted in name for name in names)).astype(bool)
            )
            named.append(frame["neuron"].astype(str) == self.words)
            frame = frame[pd.concat(named, axis=1).any(axis=1)]
        return in_order(frame, self.order)

    def within(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Those of the neurons that are picked on the map or by a list."""
        return frame if self.picked is None else frame[frame["neuron"].isin(self.picked)]


def chosen_filters(params: Params, neurons: int, chips: Mapping[str, Chip]) -> Filters:
    """The filters in the address; raises WrongAddressError for a value that does not exist."""
    return Filters(
        words=text(params, "q").strip(),
        only=chosen_chips(params, chips),
        picked=whole_numbers(params, "picked", neurons - 1),
        order=one_of(params, "sort", list(orders()), "doubt"),
        view=one_of(params, "view", list(VIEWS), "table"),
    )


def filter_bar(run: Run, layer: str, filters: Filters) -> None:
    """Pickers, search, order and view; whatever changes leads back to the first page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        st.subheader("Neurons", anchor=False, width="content")
        layer_picker(run, layer)
        run_picker(run)
        st.space("stretch")
        _words(filters.words)
        _order(filters.order)
        choose("view", filters.view, VIEWS, "View", drop=FIRST_PAGE)


def count_line(run: Run, filters: Filters, found: int, neurons: int) -> None:
    """How many neurons fit, the way back from a choice on the map, and on to a search by meaning."""
    fit = "All" if found == neurons else f"{found:,} of"
    st.caption(f"{fit} {counted(neurons, 'neuron')}", width="content")
    if filters.picked is not None:
        st.button(
            f"A list of {len(filters.picked):,}",
            key="unpick",
            icon=":material/close:",
            help="Show the others again",
            type="tertiary",
            on_click=put,
            args=("picked", "", FIRST_PAGE),
        )
    if filters.words and run.text_embeddings is not None:
        st.page_link(
            "pages/search.py",
            label="Search by meaning",
            icon=":material/search:",
            help="Also neurons whose label says it in other words",
            query_params={"run": run.name, "query": filters.words},
        )


def nothing_found() -> None:
    """What to do when no neuron fits."""
    st.info("No neuron fits these filters. Clear the words, or choose fewer chips.")


def _words(words: str) -> None:
    follow("q", words)
    st.text_input(
        "Search by spelling",
        key="q",
        placeholder="Find a label, class or number",
        type="search",
        on_change=write,
        args=("q", FIRST_PAGE),
        label_visibility="collapsed",
        width=250,
    )


def _order(order: str) -> None:
    follow("sort", order)
    st.selectbox(
        "Order",
        list(orders()),
        key="sort",
        format_func=lambda name: orders()[name].words,
        on_change=write,
        args=("sort", FIRST_PAGE),
        label_visibility="collapsed",
        width=230,
    )
