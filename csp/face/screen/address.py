"""Keeps widgets and the address in step: the address is the only state, so links and Back restore a view.

Streamlit's `bind="query-params"` would do most of this, but it brings a widget's old value back after a visit
to another page and adds it to the address as new history entries: Back then leads nowhere (docs/screens.md).
"""

import streamlit as st

Value = str | int | float | bool


def follow(name: str, value: Value) -> None:
    """Gives the widget with key `name` the value in the address; call it just before the widget."""
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value


def write(name: str, drop: tuple[str, ...] = ()) -> None:
    """Callback: the address takes the value of the widget `name`; the parameters in `drop` go."""
    kept = {key: value for key, value in st.query_params.to_dict().items() if key not in drop}
    st.query_params.from_dict({**kept, name: as_text(st.session_state[name])})


def as_text(value: Value) -> str:
    """A value as an address shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
