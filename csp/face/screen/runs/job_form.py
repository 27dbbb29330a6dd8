"""A form that starts a job: one pattern for all kinds.

Each field is checked before anything starts, and what is wrong with it stands below it in a sentence. Then,
for kinds that need it, all that the fields name is opened on trial. Only then the job begins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from csp.errors import CspError
from csp.face.screen.page.identity import may_manage, me
from csp.face.screen.state.waiting import let_go, waited
from csp.face.screen.wording import plain
from csp.keeping.canonical_json import canonical_json
from csp.work.jobs.jobs import start_job
from csp.work.jobs.kinds import faults_of
from csp.work.jobs.one_shot import in_own_process

Given = Mapping[str, Any]
"""The arguments of a job as far as they were filled in."""
OWN, NOT_HERE = "python:", "A page runs no code of your own: start this one on the command line."
NEEDED = "This must be filled in."


class Fields:
    """The fields of one form: their keys, and what is wrong with each."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def key(self, field: str) -> str:
        """The key of the field's widget."""
        return f"{self._kind}-{field}"

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, by field; "" for what is not one field's."""
        found: dict[str, str] = st.session_state.get(self._place, {})
        return found

    @faults.setter
    def faults(self, found: dict[str, str]) -> None:
        st.session_state[self._place] = found

    def fault(self, field: str) -> None:
        """Says below a field what is wrong with it."""
        if words := self.faults.get(field):
            wrong(words)

    @property
    def _place(self) -> str:
        return f"faults-{self._kind}"


def wrong(words: str) -> None:
    """A sentence that says what is wrong."""
    st.markdown(f":red[:material/error: :small[{plain(_sentence(words))}]]")


@dataclass(frozen=True)
class JobForm:
    """What the forms of the kinds of jobs differ in."""

    name: str
    what: str
    """One line: what is it?"""
    draw: Callable[[Fields], Given]
    """Draws the fields, each with its fault, and gives the arguments."""
    title: Callable[[Given], str]
    """What the job is called in the list."""
    needed: tuple[str, ...] = ()
    opens: str = ""
    """`module:function` that opens on trial what the arguments name, in a process of its own."""


def job_form(kind: str, form: JobForm) -> None:
    """Draws the form; a job that starts is shown among the jobs."""
    if refused := may_manage("start jobs"):
        st.info(plain(refused), icon=":material/lock:")
        return
    fields = Fields(kind)
    fields.fault("")
    given = form.draw(fields)
    if st.button("Check and start", key=f"start-{kind}", type="primary", icon=":material/play_arrow:"):
        fields.faults = form_faults(kind, given, form.needed)
        if not fields.faults:
            st.session_state[_asked(kind)] = given
        st.rerun()
    st.caption(
        "It works on in the background: the tab may be closed. What it computed is kept when it is stopped."
    )
    _begin(kind, form, fields)


def form_faults(kind: str, given: Given, needed: tuple[str, ...] = ()) -> dict[str, str]:
    """What is wrong with each field; a page does not run code that lies on the server's Python path."""
    own = [name for name, value in given.items() if isinstance(value, str) and value.startswith(OWN)]
    if own:
        return dict.fromkeys(own, NOT_HERE)
    return faults_of(kind, given) | dict.fromkeys((name for name in needed if not given.get(name)), NEEDED)


def _begin(kind: str, form: JobForm, fields: Fields) -> None:
    """Starts what was asked for and is in order, once all that it names was opened on trial."""
    asked: Given | None = st.session_state.get(_asked(kind))
    if asked is None or (form.opens and not _opened(kind, form.opens, fields, asked)):
        return
    _forget(kind)
    try:
        start_job(kind, asked, form.title(asked), by=me().name)
    except CspError as error:
        fields.faults = {"": str(error)}
    else:
        st.query_params.from_dict({"view": "jobs"})
    st.rerun()


def _opened(kind: str, place: str, fields: Fields, asked: Given) -> bool:
    """Whether everything could be opened; a fault goes to the head of the form."""

    def work() -> bool:
        in_own_process(place, asked)
        return True

    words = "Opening the models and the images"
    try:
        return bool(waited(_slot(kind), canonical_json(asked), work, words, lambda: _forget(kind)))
    except CspError as error:
        _forget(kind)
        fields.faults = {"": str(error)}
        st.rerun()
    return False


def _forget(kind: str) -> None:
    """What was asked for is done, wrong or cancelled."""
    st.session_state.pop(_asked(kind), None)
    let_go(_slot(kind))


def _asked(kind: str) -> str:
    return f"asked-{kind}"


def _slot(kind: str) -> str:
    return f"opening-{kind}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
