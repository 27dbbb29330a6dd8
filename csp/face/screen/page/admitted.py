"""Which open connections belong to people who may look. The guard of the server asks it; pages keep it.

A page knows who its visitor is, the server only what arrives. So the server gives each connection a name, in
a header that no visitor can send, and `let_in` says of that name whether its person may look.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

HEADER = "x-csp-connection"

_sessions: dict[str, str] = {}
"""Session by connection, as long as it is open."""


def admit() -> None:
    """Who looks at this page may look."""
    connection, context = st.context.headers.get(HEADER), get_script_run_ctx()
    if connection and context is not None:
        _sessions[connection] = context.session_id


def dismiss() -> None:
    """Who looks at this page may not, or not any more."""
    closed(st.context.headers.get(HEADER) or "")


def closed(connection: str) -> None:
    """The connection has ended."""
    _sessions.pop(connection, None)


def is_admitted(connection: str) -> bool:
    """Whether the person behind an open connection may look."""
    return connection in _sessions


def has_session(session: str) -> bool:
    """Whether a session belongs to somebody who may look and is still there."""
    return session in _sessions.values()
