"""A long list page by page: the part that the address asks for, and the control that turns the pages.

The parameter of the address is `page`; whatever changes the list drops it.
"""

from dataclasses import dataclass

import streamlit as st

from csp.face.screen.url.params import Params, whole_number
from csp.face.screen.url.state import follow, write


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
        st.pagination(page.pages, key="page", on_change=write, args=("page",), max_visible_pages=5)
