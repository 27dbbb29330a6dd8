"""The orders that the table of neurons can have; `doubt` and the like are what the address says."""

from dataclasses import dataclass

import pandas as pd

from csp.work.metrics.registry import table_numbers
from csp.work.neurons.rows import REVIEWS


@dataclass(frozen=True)
class Order:
    """By which column of the rows, and which way."""

    column: str
    ascending: bool
    words: str


_ORDERS = {
    "doubt": Order("doubt", False, "Most doubtful first"),
    "clear": Order("doubt", True, "Clearest first"),
    "unlikely": Order("chance", True, "Least likely label first"),
    "likely": Order("chance", False, "Likeliest label first"),
    "close": Order("lead", True, "Closest call first"),
    "ahead": Order("lead", False, "Furthest ahead first"),
    "score": Order("score", False, "Highest score first"),
    "low": Order("score", True, "Lowest score first"),
    "unfaithful": Order("faithful", True, "Least faithful label first"),
    "faithful": Order("faithful", False, "Most faithful label first"),
    "push": Order("push", False, "Strongest push towards a class first"),
    "no-push": Order("push", True, "Weakest push towards a class first"),
    "often": Order("share_firing", False, "Fires most often first"),
    "rare": Order("share_firing", True, "Fires most rarely first"),
    "unchecked": Order("review", True, "Unchecked first"),
    "checked": Order("review", False, "Checked first"),
    "odd": Order("state", False, "Unusual first"),
    "usual": Order("state", True, "Usual first"),
    "label": Order("label", True, "Label, A to Z"),
    "label-back": Order("label", False, "Label, Z to A"),
    "number": Order("neuron", True, "Number, low to high"),
    "number-back": Order("neuron", False, "Number, high to low"),
}


def orders() -> dict[str, Order]:
    """All orders by their name in the address, those of measured numbers last."""
    found = dict(_ORDERS)
    for number in table_numbers():
        if number.column:
            ways = ((number.column.least, True), (number.column.most, False))
            for (name, words), ascending in ways if number.better == "higher" else ways[::-1]:
                found.setdefault(name, Order(number.name, ascending, words))
    return found


def in_order(frame: pd.DataFrame, order: str) -> pd.DataFrame:
    """The rows in this order; what is not known comes last, equal ones by their number."""
    by = orders()[order]
    column, ascending = by.column, by.ascending
    key = _keys(frame, column)
    return frame.loc[key.sort_values(ascending=ascending, kind="stable", na_position="last").index]


def two_orders(column: str) -> list[str]:
    """The two orders by this column, the one that a first click on its head means before the other."""
    return [name for name, order in orders().items() if order.column == column]


def _keys(frame: pd.DataFrame, column: str) -> pd.Series:
    """What the column is sorted by."""
    values = frame[column]
    if column == "label":
        return values.str.casefold()
    if column == "review":
        return values.map(REVIEWS.index)
    if column == "state":  # the rarer a state in this layer, the more unusual
        return -values.map(values.value_counts())
    return values
