"""Work of seconds on a page: it stays usable meanwhile, a line says how long it takes, Cancel lets go."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from csp.face.screen.url.params import note_read
from csp.work.jobs.background import BACKGROUND, Task

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 0.5
AT_ONCE = 0.3
"""What is done within so many seconds is shown without a line before it."""


Held = tuple[Hashable, Task[T] | None]
"""What a slot holds: the key that was asked for, and its task; None once it was cancelled."""


def waited(
    slot: str,
    key: Hashable,
    work: Callable[[], T],
    words: str,
    cancel: Callable[[], None] | None = None,
) -> T | None:
    """What `work` gives; None while it goes on: the page is drawn without it now, and again when it is there.

    A page holds one task in each slot: asking for another key lets go of the one before. `work` gives
    anything but None; what it raises is raised here. After Cancel, which also does `cancel`, nothing more
    comes of this key.
    """
    held: Held[T] | None = st.session_state.get(_name(slot))
    if held is None or held[0] != key:
        held = st.session_state[_name(slot)] = key, BACKGROUND.ask((slot, key), work)
    task = held[1]
    if task is None:
        note_read(*st.query_params)
        return None
    if task.wait(AT_ONCE):
        return task.result()
    note_read(*st.query_params)  # what goes by them is drawn once this is there
    _line(slot, words, cancel)
    return None


def let_go(slot: str) -> None:
    """Forgets what a slot holds: asked for again, it is worked out again."""
    st.session_state.pop(_name(slot), None)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _line(slot: str, words: str, cancel: Callable[[], None] | None) -> None:
    held: Held[object] | None = st.session_state.get(_name(slot))
    task = None if held is None else held[1]
    if task is None or task.finished:
        st.rerun()
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"waiting-{slot}"):
        st.caption(f"{words} … ({task.seconds:.0f} s)", width="content")
        st.button("Cancel", key=f"cancel-{slot}", type="tertiary", on_click=_cancel, args=(slot, cancel))


def _cancel(slot: str, cancel: Callable[[], None] | None) -> None:
    if (held := st.session_state.get(_name(slot))) is not None:
        st.session_state[_name(slot)] = held[0], None
    if cancel is not None:
        cancel()


def _name(slot: str) -> str:
    return f"waited-{slot}"
