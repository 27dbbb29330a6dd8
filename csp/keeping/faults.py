"""Errors at the edges of the program: what a person is told, and what the log keeps.

    try:
        ...
    except Exception as error:  # noqa: BLE001 # an edge: a command, a page, a job, a row of an import
        print(told(error))

Each edge says one sentence and goes on, or ends. An error that nobody foresaw gets a number, under which
`CSP_HOME/logs/errors.log` has the traceback. With `CSP_DEBUG=1`, as in all tests, it is raised instead.
"""

import errno
import os
import secrets
import traceback
from datetime import UTC, datetime
from pathlib import Path

from csp.errors import CspError, shortened
from csp.keeping.home import home
from csp.keeping.redaction import without_secrets

VARIABLE = "CSP_DEBUG"
LOG_NAME, FORMER_LOG_NAME = "errors.log", "errors.old.log"
MOST_BYTES = 1 << 20
"""Of the log; a longer one takes the place of the former."""

_kept: dict[str, str] = {}
_MOST_KEPT = 100
"""Numbers by what strangers met."""

_MOST_OF_A_NAME = 120
_REMEDIES = {
    errno.ENOSPC: "make room, then try again",
    errno.EDQUOT: "make room, then try again",
    errno.EROFS: "it lies on a disk that can't be written",
    errno.EACCES: "check the permissions of the file and its folder",
    errno.EPERM: "check the permissions of the file and its folder",
    errno.ENAMETOOLONG: "no part of a path may have more than 255 bytes",
    errno.ELOOP: "its links lead in a ring",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.EISDIR: "name a file in it",
    errno.EIO: "check its disk",
    errno.EMFILE: "close other programs, or allow more open files (ulimit -n)",
    errno.ENFILE: "close other programs, or allow more open files (ulimit -n)",
}
"""What to do where the system refuses; other refusals are mistakes of the program."""


def told(error: Exception) -> str:
    """What to say of an error, in one sentence; one that nobody foresaw is logged under a number."""
    sentence = foreseen(error)
    if sentence is not None:
        return sentence
    number = _raised_or_numbered(error)
    written = _log(error, number)
    where = f"{log_path()} has the details" if written else f"{VARIABLE}=1 shows the details"
    return f"an unforeseen error ended this (number {number}; what was kept before stays): {where}"


def kept(error: Exception) -> str:
    """The number under which the log has an error, for whoever may not read what is wrong; "" without a log.

    What strangers meet again and again is written once: it must not push out what else the log holds.
    """
    same = f"{type(error).__name__}: {error}"
    if same not in _kept:
        number = secrets.token_hex(4) if foreseen(error) else _raised_or_numbered(error)
        if not _log(error, number):
            return ""
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[same] = number
    return _kept[same]


def _raised_or_numbered(error: Exception) -> str:
    """A number for an error that nobody foresaw."""
    if os.environ.get(VARIABLE, "") not in ("", "0"):
        raise error
    return secrets.token_hex(4)


def foreseen(error: BaseException) -> str | None:
    """The sentence of an error that an input or the machine brings about; None for one of the program."""
    if isinstance(error, CspError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this: close other programs, or ask for less at once"
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        what = shortened(os.fsdecode(error.filename), _MOST_OF_A_NAME) if error.filename else "a file"
        return f"{what} can't be used ({error.strerror}): {_REMEDIES[error.errno]}"
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        what = shortened(without_secrets(error.object), _MOST_OF_A_NAME)
        return f"{what} holds bytes that are no text in UTF-8: rename it, or write it anew"
    return None


def log_path() -> Path:
    """Where errors that nobody foresaw are kept."""
    return home() / "logs" / LOG_NAME


def _log(error: Exception, number: str) -> bool:
    """Whether the log could be written: a full disk must not hide the error that it caused."""
    lines = "".join(traceback.format_exception(error))
    entry = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} number {number}\n{lines}\n"
    log = log_path()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > MOST_BYTES:
            log.replace(log.with_name(FORMER_LOG_NAME))
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(without_secrets(entry))
    except OSError:
        return False
    return True
