"""Addresses such as `s3://bucket/folder`, told from paths of this machine; they hold no secrets.

What a spec says is kept in runs, jobs and logs, so an address with a password or a signature in it is refused
before it goes anywhere: keys come from where the servers' own tools look for them.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from csp.errors import BadInputError

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SECRET = re.compile(r"sig(nature)?$|token|secret|passw|credential|key|auth|^x-(amz|goog)-", re.IGNORECASE)


def is_address(name: str) -> bool:
    """Whether it is an address of a server, no path."""
    return _ADDRESS.match(name) is not None


def scheme_of(address: str) -> str:
    """`s3`, `https`, ..., in small letters; "" of a path."""
    found = _ADDRESS.match(address)
    return found[1].lower() if found else ""


def without_query(address: str) -> str:
    """What may be shown of any address: no user, no password, nothing after `?`."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}".partition("?")[0].partition("#")[0]


def refuse_secrets(address: str) -> None:
    """Raise `BadInputError`, which does not show them, for an address with a password or a signature."""
    try:
        parts = urlsplit(address)
        named = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        secret = "@" in parts.netloc or any(_SECRET.search(name) for name in named)
    except ValueError:
        raise BadInputError(f"{without_query(address)} is no address that can be read") from None
    if secret:
        raise BadInputError(
            f"The address {without_query(address)} holds a password or a signature, which would be kept "
            "with the run: leave it out, and give keys as the server's own tools read them "
            "(such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials)."
        )
