"""What changes something asks when it is pressed whether this person may: a page may have been drawn for
somebody with another role, and a browser can send what no button offered.

@deed("draw maps")                       # an admin, or who sits at this machine
def _draw_map(arguments): ...            # a callback, or what a page does after a press

@deed("decide", Role.REVIEWER)
def decide(act): ...

st.download_button(words, asked_when_pressed(make))

say_refusal()                            # where the sentence of a refusal shall stand
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from csp.errors import BadInputError
from csp.face.screen.page.identity import me, owner
from csp.face.screen.wording import plain
from csp.keeping.reviews.vocabulary import Role
from csp.work.reviews.desk import may

P = ParamSpec("P")

_REFUSAL = "deed-refusal"


def deed(doing: str, role: Role = Role.ADMIN) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Decorates what changes something: without the role nothing is done, and the page says why."""

    def guarded(work: Callable[P, None]) -> Callable[P, None]:
        @wraps(work)
        def asked(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                person = me()
            except Exception:  # noqa: BLE001 # no way in at all: the page itself says so
                return
            try:
                if role is Role.ADMIN:
                    owner(doing)
                else:
                    may(person, role, doing)
            except BadInputError as error:
                st.session_state[_REFUSAL] = str(error)
                return
            work(*args, **kwargs)

        asked.deed = doing  # type: ignore[attr-defined] # a test asks for it
        return asked

    return guarded


def asked_when_pressed(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """What makes a download when its button is pressed: only for somebody who may look at that moment.

    Streamlit makes it in a thread that knows nothing of the page; the question is asked in one that does.
    """
    page = get_script_run_ctx()

    def made() -> bytes:
        with ThreadPoolExecutor(1, initializer=lambda: add_script_run_ctx(None, page)) as asking:
            asking.submit(me).result()
        return make()

    return made


def say_refusal() -> None:
    """Says why what was just pressed was not done."""
    if refusal := st.session_state.pop(_REFUSAL, ""):
        st.error(plain(f"Nothing was done: {refusal}."), icon=":material/lock:")
