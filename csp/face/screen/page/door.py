"""What is said to whoever may not look, or of whom that is not known yet: nothing about the server.

A path, the name of a machine or the address of a database would help only somebody who should not have it.
"""

from csp.keeping.faults import kept
from csp.work.reviews.people import NoAccessError


def at_door(error: Exception) -> str:
    """Why nobody gets in, in a sentence. What is wrong with the server itself is kept in its log."""
    if isinstance(error, NoAccessError):  # made for whoever stands here
        return str(error)
    number = kept(error)
    where = "in its log and by `csp doctor`" if number else "by `csp doctor`"
    named = f" (number {number})" if number else ""
    return (
        f"Something is wrong with this server, so it lets nobody in{named}: whoever runs it finds out {where}"
    )
