"""Turns what databases report into a sentence for people, and tells what is worth a second try."""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from csp.errors import UnavailableError
from csp.keeping.redaction import without_secrets
from csp.keeping.reviews.chain import GENESIS, DamagedRecordError, Verification
from csp.keeping.reviews.location import Location

_FULL = "the disk that holds {where} is full: free some space, then try again"
_FAILING = "{where} can't be read or written: check its disk, then try again"
_READ_ONLY = "{where} can't be written: check the permissions of the file and its folder, then try again"
LOCKED = "another program keeps {where} locked: try again in a moment"
_DAMAGED = "{where} is damaged: restore it from a backup, or move it away and import your last export{reason}"
_UNREACHABLE = "{where} can't be reached ({reason}): start it or check CSP_DATABASE_URL, then try again"
_NOT_UNDERSTOOD = "{where}: its driver does not understand CSP_DATABASE_URL, such as what stands after ?"
_REFUSED = "{where} refuses the access: check the rights of its user"

_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FAILING,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,  # a table or column is missing, a text is no UTF-8
    sqlite3.SQLITE_CONSTRAINT: _DAMAGED,  # of what was verified, nothing can be there twice
    sqlite3.SQLITE_MISMATCH: _DAMAGED,
    sqlite3.SQLITE_TOOBIG: _DAMAGED,
    sqlite3.SQLITE_NOMEM: _DAMAGED,
    sqlite3.SQLITE_PROTOCOL: _DAMAGED,
    sqlite3.SQLITE_FORMAT: _DAMAGED,
}
"""By the low byte of SQLite's extended error code."""

_POSTGRESQL = {
    "53100": _FULL,
    "55P03": LOCKED,
    "57014": LOCKED,
    "25006": _READ_ONLY,
    "42501": _REFUSED,
    "28000": _REFUSED,
    "28P01": _REFUSED,
    "42601": None,  # a syntax error is ours
}
"""By SQLSTATE."""

_POSTGRESQL_KINDS = {
    "0A": _DAMAGED,  # not what can be done with a table: one is a view
    "22": _DAMAGED,  # values that don't fit their columns, which have other types
    "23": _DAMAGED,  # of what was verified, nothing can be there twice
    "42": _DAMAGED,  # a table or column is missing, or there already
    "55": _DAMAGED,
    "XX": _DAMAGED,
}
"""By the class of an SQLSTATE, where the state itself says no more."""

_RETRY_STATES = ("08", "40", "57P")
"""SQLSTATE classes that pass by themselves: connection lost, deadlock, server stopping or starting."""


def may_pass(error: DBAPIError) -> bool:
    """Whether the same work may succeed on a new connection, a moment later."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_code(cause) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return str(state).startswith(_RETRY_STATES)


def sentence(error: DBAPIError, where: Location) -> UnavailableError | None:
    """What to tell the person; None when the error is a bug of ours, which must not be hidden."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = _sqlite_code(cause)
        ours = code == sqlite3.SQLITE_ERROR and str(cause).endswith("syntax error")
        text = None if ours else _SQLITE.get(code)
    else:
        state = str(getattr(cause, "sqlstate", None))
        text = _POSTGRESQL.get(state, _POSTGRESQL_KINDS.get(state[:2]))
        text = text or (_UNREACHABLE if may_pass(error) else None)
        if text is None and isinstance(error, ProgrammingError) and not getattr(cause, "sqlstate", None):
            text = _NOT_UNDERSTOOD
    if text is _DAMAGED:
        return damaged(where, f" ({_reason(cause)})")
    return unavailable(text, where, _reason(cause)) if text else None


def damaged(where: Location, reason: str = "") -> DamagedRecordError:
    """The error that says that the database itself is damaged."""
    problem = _DAMAGED.format(where=where, reason=reason)
    return DamagedRecordError(Verification(False, 0, GENESIS, None, problem), f"the review record: {problem}")


def unavailable(text: str, where: Location, reason: str = "") -> UnavailableError:
    """The error that says `text` of a record."""
    return UnavailableError(f"the review record: {text.format(where=where, reason=reason)}")


def _reason(cause: BaseException | None) -> str:
    """The last words of what libpq says: `connection to server at ... failed: FATAL: no such database`."""
    lines = str(cause).splitlines() or ["no reason given"]
    return without_secrets(lines[0].rpartition("failed: ")[2].strip())


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
