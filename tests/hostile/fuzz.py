"""What the campaigns share: how many inputs are tried, and how sound ones are damaged.

A small sample is part of every test run; `make hostile` tries thousands of each kind.
"""

import os
from collections.abc import Callable

from hypothesis import strategies as st

from csp.errors import CspError

SAMPLE = int(os.environ.get("CSP_HOSTILE", "40"))
"""Inputs of each kind."""


def said_or_done(work: Callable[[], object]) -> None:
    """Work that may end well or in a sentence of one line; any other error fails the test."""
    try:
        work()
    except CspError as error:
        sentence = str(error)
        assert sentence.strip() and "\n" not in sentence and len(sentence) < 3_000, sentence


@st.composite
def damaged(draw: st.DrawFn, sound: bytes, most: int = 6) -> bytes:
    """The sound bytes with some flipped, cut out, doubled or put in; often in the head, where it matters."""
    data = bytearray(sound)
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.one_of(st.integers(0, min(200, len(data))), st.integers(0, len(data))))
        match draw(st.sampled_from(["flip", "cut", "insert", "double", "end"])):
            case "flip" if place < len(data):
                data[place] ^= draw(st.integers(1, 255))
            case "cut":
                del data[place : place + draw(st.integers(1, 40))]
            case "insert":
                data[place:place] = draw(st.one_of(st.binary(max_size=20), st.sampled_from(ODD)))
            case "double":
                data[place:place] = data[place : place + 60]
            case "end":
                del data[place:]
    return bytes(data)


ODD = [
    *(b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J", b"'", b'"', b"(" * 300, b"[" * 300),
    *(b"-1", b"9" * 400, b"9223372036854775808", b"nan", b"inf", b"1e400"),
    *(b"*a", b"&a", b"!!python/name:os.system", b"~nobody/x", b"=1+1"),
]

TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(), max_size=8),
    st.sampled_from(
        [
            *("", "-", "--", "..", "~nobody/x", "/dev/zero", "/dev/stdin", "/proc/self/mem"),
            *("x" * 300, "a/" * 3_000, "nul\0", "half\ud800", "\udcff", "\x1b]0;x\x07"),
            *("folder:", "csv:/dev/zero", "torchvision:resnet18@/dev/zero", "python:nobody:x"),
            *("9" * 5_000, "-1", "1e400", "nan", "0:", "0:99999999999999999999", "3,,4", "all"),
        ]
    ),
)
"""What a person or a script may write where a name, number, path or spec belongs."""
