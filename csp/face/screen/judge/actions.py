"""What the verdict buttons do: a press is recorded once, for the neuron on the screen, and the page goes on.

What can't be recorded now, or not without asking, waits (`Pending`) and is shown with Retry; nothing is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from csp.errors import CspError, UnavailableError
from csp.face.screen.judge.session import STAYING, Onward, Viewing, address, end, forget_typed, present, typed
from csp.face.screen.page.deeds import deed
from csp.face.screen.page.identity import call_me, is_named, me
from csp.keeping.reviews.checks import OvertakenError
from csp.keeping.reviews.event import Entry, Event
from csp.keeping.reviews.vocabulary import Action, Role
from csp.work.reviews.desk import Spot, undoing

_PENDING, _LAST, _EARLY, _TAKEN = "verdict-pending", "verdict-last", "verdict-early", "verdict-taken"
_NEWEST = "verdict-newest"
"""What was recorded since the button that takes the last verdict back was drawn."""


@dataclass(frozen=True)
class Pending:
    """Something said that is not recorded: why, and what to do."""

    viewing: Viewing
    entry: Entry
    problem: str = ""
    retry: bool = True
    missed: tuple[Event, ...] = ()
    """What others said meanwhile, when that is why."""
    nameless: bool = False
    """Whether nobody knows yet who is judging."""


@deed("decide", Role.REVIEWER)
def decide(act: Action, place: int | None = None, spot: Spot | None = None) -> None:
    """Callback of a verdict button; `place` chooses a suggestion of the look, never of one drawn since, and
    what was written for the neuron `spot` is said of no other."""
    viewing = present()
    if viewing is None:
        _once_drawn(partial(decide, act, place, spot))
        return
    if pending() is not None or spot not in (None, viewing.spot):
        return
    if viewing.used:  # its verdict is recorded, only the next neuron was not on the screen yet
        viewing.onward()
        return
    words = typed(viewing)
    own = words.label if act in (Action.OVERRIDE, Action.DRAFT) else None
    label = own if place is None else next(iter(viewing.picks[place:]), None)
    label = viewing.confirmed if act is Action.CONFIRM else label
    if act is Action.CONFIRM and label is None:  # all that it names was left out
        return
    said = viewing.said(act, label, words)
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, frozenset()) | {said.token}
    _record(viewing, said)


def catch_up() -> None:
    """Does what was pressed for this neuron before its bar was drawn; call it once the look has begun."""
    where, press = st.session_state.pop(_EARLY, (None, None))
    if where == address():
        press()
        st.rerun()


def _once_drawn(press: Callable[[], None]) -> None:
    """The address came before the bar: its drawing comes back to the first press."""
    if st.session_state.get(_EARLY, ((),))[0] != address():
        st.session_state[_EARLY] = (address(), press)


def skip() -> None:
    """Callback: go on without a verdict; what was typed stays with its neuron."""
    viewing = present()
    if viewing is None:
        _once_drawn(skip)
    else:
        viewing.onward()


def undo_last(named: Event) -> None:
    """Callback: take back what was said since the button was drawn, else what it names."""
    undo(st.session_state.get(_NEWEST, named))


def names_last() -> None:
    """The button that takes the last verdict back is drawn anew."""
    st.session_state.pop(_NEWEST, None)


@deed("decide", Role.REVIEWER)
def undo(event: Event) -> None:
    """Callback: take an event back by a new one, and look at its neuron again."""
    viewing = present()
    if viewing is None:
        _once_drawn(partial(undo, event))
        return
    if pending() is not None:
        return
    try:
        state = viewing.desk.neuron(event.layer, event.neuron)
    except CspError as error:
        st.session_state[_LAST] = str(error)
        return
    if event.token in state.undone:  # the same press again
        return
    token = f"undo-{len(state.events)}-{event.token}"
    _record(replace(viewing, onward=_back_to(event)), undoing(event, token, state.seen))


def pending() -> Pending | None:
    """What waits for Retry or an answer."""
    waiting: Pending | None = st.session_state.get(_PENDING)
    return waiting


def taken() -> int:
    """How many presses counted so far: recorded, or waiting with a word why not. One that Streamlit sent
    twice is one."""
    return len(st.session_state.get(_TAKEN, ()))


@deed("decide", Role.REVIEWER)
def record_as(box: str) -> None:
    """Callback: the name in the box `box` is who judges; then record what is pending."""
    if name := str(st.session_state.get(box, "")).strip():
        call_me(name)
        retry()


@deed("decide", Role.REVIEWER)
def retry() -> None:
    """Callback: record what is pending after all, with the token that it had."""
    waiting = pending()
    if waiting is not None:
        drop()
        _record(waiting.viewing, waiting.entry)


def drop() -> None:
    """Callback: forget what is pending; what was typed stays in its boxes."""
    st.session_state.pop(_PENDING, None)


def became() -> str:
    """What a person should know of what came of their last press; empty when all went as usual."""
    return str(st.session_state.get(_LAST, ""))


def _record(viewing: Viewing, entry: Entry) -> None:
    """Record, unless others said something that this person has not seen: then ask."""
    if not is_named():
        st.session_state[_PENDING] = Pending(viewing, entry, nameless=True)
        return
    try:
        answer = viewing.desk.record(me(), entry, ask=entry.verdict is not Action.UNDO)
    except OvertakenError as error:
        seen = replace(entry, seen=error.missed[-1].token)
        st.session_state[_PENDING] = Pending(viewing, seen, missed=error.missed)
        return
    except CspError as error:
        # Retry helps when the record was not at hand; what was refused has to be said in another way.
        retry = isinstance(error, UnavailableError)
        st.session_state[_PENDING] = Pending(viewing, entry, str(error), retry)
        return
    st.session_state[_LAST] = ". ".join(answer.notes)
    if entry.verdict is not Action.UNDO:
        st.session_state[_NEWEST] = answer.event
    if entry.verdict not in (Action.UNDO, Action.FLAG):
        forget_typed(viewing)
    if entry.verdict not in STAYING:
        end(entry.token)
        viewing.onward()


def _back_to(event: Event) -> Onward:
    def go() -> None:
        st.query_params["layer"] = event.layer
        st.query_params["neuron"] = str(event.neuron)

    return go
