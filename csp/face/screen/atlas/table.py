"""The neurons of a page as a table or as cards; a row, or a card, opens its neuron."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from csp.face.screen.atlas.columns import Context, TableColumn, columns_of
from csp.face.screen.atlas.facts import (
    Facts,
    doubt_badges,
    label_lines,
    notes,
    persons_line,
    review_badges,
    strongest_images,
)
from csp.face.screen.atlas.orders import orders, two_orders
from csp.face.screen.elements.components import Card, Column, Row, card_grid, row_table
from csp.face.screen.url.links import link, neuron_link
from csp.face.screen.url.params import Params
from csp.face.screen.wording import number

CARD_IMAGES = 4


def neuron_table(
    context: Context, shown: pd.DataFrame, names: Sequence[str], order: str, params: Params
) -> None:
    """One page as a table; a click on a head sorts by it, a second click the other way."""
    known = columns_of(context.rows)
    columns = [known[name] for name in names]
    rows = [
        Row([column.cell(facts, context) for column in columns], _opens(context, facts), _hint(facts))
        for facts in shown.to_dict("records")
    ]
    heads = [_head(column, order, params) for column in columns]
    with st.container(key="neuron-table"):
        row_table(f"Neurons of {context.rows.layer}", heads, rows, key="neuron-rows")


def neuron_cards(context: Context, shown: pd.DataFrame, columns: int) -> None:
    """One page as cards, pictures first."""
    cards = [_card(context, facts) for facts in shown.to_dict("records")]
    with st.container(key="neuron-cards"):
        card_grid(f"Neurons of {context.rows.layer}", cards, columns=columns, key="neuron-card-grid")


def _head(column: TableColumn, order: str, params: Params) -> Column:
    if not column.sorts:
        return Column(column.name, column.help, column.numeric)
    first, second = two_orders(column.sorts)
    kept = {name: value for name, value in params.items() if name != "page"}
    href = link("neurons", **kept | {"sort": second if order == first else first})
    by = orders()[order]
    head = Column(column.name, column.help, column.numeric, href)
    if by.column != column.sorts:
        return head
    return replace(head, sorted="ascending" if by.ascending else "descending")


def _card(context: Context, facts: Facts) -> Card:
    doubts = doubt_badges(facts) if facts["doubtful"] else []
    parts = [
        persons_line(facts),
        f"pushes towards {facts['push_class']}" if isinstance(facts["push_class"], str) else "",
    ]
    return Card(
        href=_opens(context, facts),
        title=str(facts["neuron"]),
        label=label_lines(facts)[0],
        line=" · ".join(part for part in parts if part),
        pictures=strongest_images(context.run, facts, CARD_IMAGES),
        badges=[*review_badges(facts), *notes(facts, context.usual_state, doubts)],
        hint=_hint(facts),
    )


def _opens(context: Context, facts: Facts) -> str:
    return neuron_link(context.run.name, context.rows.layer, facts["neuron"])


def _hint(facts: Facts) -> str:
    return facts["sentence"] or f"Average {number(facts['mean'])}, strongest {number(facts['maximum'])}"
