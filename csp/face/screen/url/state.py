"""Keeps widgets and the address in step: the address is the only state, so links and Back restore a view.

Streamlit's `bind="query-params"` would do most of this, but it brings a widget's old value back after a visit
to another page and adds it to the address as new history entries: Back then leads nowhere (docs/screens.md).
"""

from collections.abc import Iterable, Mapping

import streamlit as st

Value = str | int | float | bool | list[str]


def follow(name: str, value: Value) -> None:
    """Gives the widget with key `name` the value in the address; call it just before the widget.

    Give the widget the same value as its default too: a browser that draws it late, on a busy machine,
    reports its default with the next press of a key, which would count as a choice.
    """
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value


def write(name: str, drop: tuple[str, ...] = ()) -> None:
    """Callback: the address takes the value of the widget `name`; the parameters in `drop` go."""
    put(name, as_text(st.session_state[name]), drop)


def choose(name: str, chosen: str, titles: Mapping[str, str], label: str, drop: tuple[str, ...] = ()) -> None:
    """A row of choices for the parameter `name`: its values with their titles; screen readers say `label`."""
    follow(name, chosen)
    st.segmented_control(
        label,
        list(titles),
        default=chosen,
        format_func=titles.__getitem__,
        key=name,
        required=True,
        label_visibility="collapsed",
        on_change=write,
        args=(name, drop),
    )


def put(name: str, text: str, drop: tuple[str, ...] = ()) -> None:
    """Write one parameter of the address, an empty one away; the parameters in `drop` go."""
    kept = {key: value for key, value in st.query_params.to_dict().items() if key not in (name, *drop)}
    st.query_params.from_dict({**kept, name: text} if text else kept)


def stands_at(name: str, default: int) -> int:
    """Callback: the whole number in the address now, from which a step counts.

    A button's arguments are of the page that drew it, and the next page may be on its way when it is pressed.
    """
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() else default


def switch(name: str, on: str, drop: tuple[str, ...] = ()) -> None:
    """Callback: the parameter of the address takes the value `on`, or goes if it has it."""
    put(name, "" if st.query_params.get(name) == on else on, drop)


def asks_as_drawn(drawn: Mapping[str, str], *aside: str) -> bool:
    """Callback: whether the address still asks for what a widget was drawn with, but for the names `aside`.

    Where it does not, another list or another comparison is on its way, which may hold no such place.
    """
    here = st.query_params.to_dict()
    return all(here.get(name) == drawn.get(name) for name in (here.keys() | drawn.keys()) - set(aside))


def as_text(value: Value) -> str:
    """A value as an address shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as an address shows them, `3.17-20.40`; `params.whole_numbers` reads them."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ".".join(str(low) if low == high else f"{low}-{high}" for low, high in found)
