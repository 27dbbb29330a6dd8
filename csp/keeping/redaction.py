"""Passwords and keys that the environment holds, taken out of what is shown or logged."""

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

ADDRESS = "CSP_DATABASE_URL"
KEYS = ("CSP_VLM_API_KEY", "OPENAI_API_KEY", "HF_TOKEN")
SHORTEST = 4
"""Libraries quote parts of a password; shorter parts are words of any sentence."""

_IN_ADDRESS = re.compile(r"(?<=://)[^\s/]*@")


def without_secrets(text: str) -> str:
    """The text with *** in place of every password and key, and of their parts, which libraries quote."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _IN_ADDRESS.sub("***@", text)


def _secrets() -> Iterator[str]:
    yield from (value for name in KEYS if (value := os.environ.get(name, "")))
    address = os.environ.get(ADDRESS, "").strip()
    if not address or address.startswith("sqlite:"):
        return
    yield address
    rest = address.partition("://")[2] or address
    for given in (rest.rpartition("@")[0], rest.partition("?")[2]):
        for text in (given, given.partition(":")[2], unquote(given)):
            yield from (part for part in (text, *re.split(r"[@/#?:&=\[\]]", text)) if len(part) >= SHORTEST)
