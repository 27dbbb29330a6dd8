"""The review record as the pages know it: one for all sessions, watched for damage."""

from dataclasses import dataclass

import streamlit as st

from csp.errors import UnavailableError
from csp.face.screen.wording import as_sentence, plain
from csp.keeping.reviews.chain import Verification
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.live_states import LiveStates

_TROUBLE = "record-trouble"


def desk(explorer: Explorer) -> ReviewDesk:
    """The record as far as it concerns a run: for recording."""
    return _desk(explorer.run, explorer.run.fingerprint, _place())


def standing(explorer: Explorer) -> LiveStates:
    """Where the neurons of a run stand: for reading."""
    return _standing(explorer.run, explorer.run.fingerprint, _place())


def recent(explorer: Explorer, person: Person, count: int = 10) -> list[Event]:
    """The person's newest events that stand and can be taken back, newest first."""
    states = standing(explorer).states() if is_there() else {}
    mine = [
        event
        for state in states.values()
        for event in state.events
        if event.who == person.who and event.verdict is not Action.UNDO and event.token not in state.undone
    ]
    return sorted(mine, key=lambda event: -event.sequence)[:count]


def is_there() -> bool:
    """Whether the record can be read, as far as this run of the page knows."""
    return _TROUBLE not in st.session_state


def verify(expect: str | None = None) -> Verification:
    """Check every event; what is found stands in the bar of every page until it is found otherwise."""
    finding = _kept().reviews.verify(expect)
    _kept().broken = None if finding.ok or expect else finding
    return finding


def alarm() -> None:
    """A bar on every page when the record is damaged or can't be read; checks what is new in it."""
    st.session_state.pop(_TROUBLE, None)
    try:
        broken = _check()
    except UnavailableError as error:
        st.session_state[_TROUBLE] = str(error)
        st.warning(f"{as_sentence(error)} Meanwhile only the machine's labels are shown.")
        return
    if broken is not None:
        st.session_state[_TROUBLE] = broken.problem
        st.error(
            f"**The review record is damaged:** {plain(broken.problem or '')}. "
            "Only the machine's labels are shown, and nothing is recorded, until this is explained; "
            "see `csp review verify`.",
            icon=":material/gpp_bad:",
        )


@dataclass
class _Kept:
    """What all sessions share."""

    reviews: Reviews
    broken: Verification | None = None


def _check() -> Verification | None:
    kept = _kept()
    if kept.broken is None:
        finding = kept.reviews.check()
        kept.broken = None if finding.ok else finding
    return kept.broken


def _kept() -> _Kept:
    return _open(_place())


def _place() -> str:
    return repr(Location.configured())


@st.cache_resource(max_entries=4, show_spinner=False)
def _open(place: str) -> _Kept:
    return _Kept(Reviews(Location.configured()))


@st.cache_resource(max_entries=8, show_spinner=False)
def _desk(_run: Run, fingerprint: str, place: str) -> ReviewDesk:
    return ReviewDesk(_run, _kept().reviews)


@st.cache_resource(max_entries=8, show_spinner=False)
def _standing(_run: Run, fingerprint: str, place: str) -> LiveStates:
    return LiveStates(_desk(_run, fingerprint, place))
