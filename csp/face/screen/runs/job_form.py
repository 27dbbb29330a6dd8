"""A form that starts a job: one pattern for all kinds.

Each field is checked before anything starts, and what is wrong with it stands below it in a sentence. Then,
for kinds that need it, all that the fields name is opened on trial. Only then the job begins.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from csp.errors import CspError
from csp.face.screen.page.deeds import deed
from csp.face.screen.page.identity import may_manage, me
from csp.face.screen.state.waiting import let_go, waited
from csp.face.screen.wording import as_sentence, plain
from csp.keeping.canonical_json import canonical_json
from csp.work.jobs.jobs import start_once
from csp.work.jobs.kind import JobKind
from csp.work.jobs.one_shot import in_own_process
from csp.work.jobs.registry import CheckedJob, FaultyJobError, check_job

Given = Mapping[str, Any]
"""The arguments of a job as far as they were filled in."""
OWN, NOT_HERE = "python:", "A page runs no code of your own: start this one on the command line."


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
    st.markdown(f":red[:material/error: :small[{as_sentence(words)}]]")


def job_form(kind: JobKind, draw: Callable[[Fields], Given]) -> None:
    """Draws the form; a job that starts is shown among the jobs.

    `draw` draws the fields, each with its fault, and gives the arguments.
    """
    if refused := may_manage("start jobs"):
        st.info(plain(refused), icon=":material/lock:")
        return
    fields = Fields(kind.name)
    fields.fault("")
    given = draw(fields)
    if st.button("Check and start", key=f"start-{kind.name}", type="primary", icon=":material/play_arrow:"):
        try:
            st.session_state[_asked(kind)] = check_on_page(kind.name, given)
            fields.faults = {}
        except FaultyJobError as error:
            fields.faults = error.faults
        st.rerun()
    st.caption(
        "It works on in the background: the tab may be closed. What it computed is kept when it is stopped."
    )
    _begin(kind, fields)


def check_on_page(kind: str, given: Given) -> CheckedJob:
    """A job that can work; a page does not run code that lies on the server's Python path.

    Raises FaultyJobError.
    """
    own = [name for name, value in given.items() if any(map(_own, _words(value)))]
    if own:
        raise FaultyJobError(dict.fromkeys(own, NOT_HERE))
    return check_job(kind, given)


def _words(value: object) -> list[str]:
    return (
        [str(one) for one in value] if isinstance(value, list) else [value] if isinstance(value, str) else []
    )


def _own(word: str) -> bool:
    """Whether a spec, or one after the layer that it is for, names code of one's own."""
    return OWN in (word[: len(OWN)], word.partition("=")[2].strip()[: len(OWN)])


@deed("start jobs")
def _begin(kind: JobKind, fields: Fields) -> None:
    """Starts what was asked for and is in order, once all that it names was opened on trial."""
    asked: CheckedJob | None = st.session_state.get(_asked(kind))
    if asked is None or not _opened(asked, fields):
        return
    _forget(kind)
    start_once(asked, by=me().name)
    st.query_params.from_dict({"view": "jobs"})
    st.rerun()


def _opened(asked: CheckedJob, fields: Fields) -> bool:
    """Whether everything could be opened, where the kind tries; a fault goes to the head of the form."""
    kind, opens = asked.kind, asked.kind.on_trial
    if opens is None:
        return True

    def work() -> bool:
        in_own_process(opens, asked.arguments)
        return True

    words = "Opening the models and the images"
    try:
        return bool(waited(_slot(kind), canonical_json(asked.arguments), work, words, lambda: _forget(kind)))
    except CspError as error:
        _forget(kind)
        fields.faults = {"": str(error)}
        st.rerun()
    return False


def _forget(kind: JobKind) -> None:
    """What was asked for is done, wrong or cancelled."""
    st.session_state.pop(_asked(kind), None)
    let_go(_slot(kind))


def _asked(kind: JobKind) -> str:
    return f"asked-{kind.name}"


def _slot(kind: JobKind) -> str:
    return f"opening-{kind.name}"
