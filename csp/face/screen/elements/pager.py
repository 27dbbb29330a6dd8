"""A long list: page by page, or its first part and more of it when asked for.

The parameters of the address are `page` and `most`; whatever changes the list drops them.
"""

from dataclasses import dataclass

import streamlit as st

from csp.face.screen.url.params import Params, whole_number
from csp.face.screen.url.state import asks_as_drawn, follow, put, stands_at, write


@dataclass(frozen=True)
class Page:
    """One of `pages` parts of a list, `rows` of it; `number` counts from 1."""

    number: int
    pages: int
    rows: slice


def chosen_page(params: Params, count: int, size: int) -> Page:
    """The part of a list of `count` that the address asks for; WrongAddressError where there is none."""
    pages = max(1, -(-count // size))
    number = whole_number(params, "page", 1, pages, 1)
    return Page(number, pages, slice((number - 1) * size, number * size))


def pager(page: Page) -> None:
    """Turns the pages; nothing where there is only one."""
    if page.pages > 1:
        follow("page", page.number)
        drawn = st.query_params.to_dict()
        st.pagination(page.pages, key="page", on_change=_turn, args=(drawn,), max_visible_pages=5)


def chosen_most(params: Params, count: int, first: int) -> int:
    """How many of a list of at most `count` the address asks for, `first` where it does not.

    Raises WrongAddressError for more than there are.
    """
    return whole_number(params, "most", 1, max(count, first), first)


def more(shown: int, count: int, step: int) -> None:
    """Offers the next `step` of a list of `count`; nothing where all are shown."""
    if shown < count:
        st.button(
            f"Show {min(step, count - shown):,} more",
            key="more",
            icon=":material/expand_more:",
            on_click=_show_more,
            args=(st.query_params.to_dict(), shown, step, count),
        )


def _turn(drawn: Params) -> None:
    """Callback: of a list that is not asked for any more no page is opened."""
    if asks_as_drawn(drawn, "page"):
        write("page")


def _show_more(drawn: Params, shown: int, step: int, count: int) -> None:
    if asks_as_drawn(drawn, "most"):
        put("most", str(min(stands_at("most", shown) + step, count)))
