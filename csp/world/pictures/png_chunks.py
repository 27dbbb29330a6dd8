"""Leaves the metadata of a PNG behind: long comments and profiles make Pillow refuse a sound picture."""

import io
import struct
from typing import IO

SIGN = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"iCCP", b"tEXt", b"zTXt", b"iTXt")
"""Chunks that say nothing of the pixels; what turns them (eXIf) stays."""


def is_png(head: bytes) -> bool:
    """Whether a file begins like a PNG."""
    return head.startswith(SIGN)


def without_texts(file: IO[bytes]) -> io.BytesIO:
    """The same file without them; from where it is damaged on, as it is."""
    data = file.read()
    kept, place = [data[: len(SIGN)]], len(SIGN)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if place + 12 + length > len(data):
            break
        if kind not in TEXTS:
            kept.append(data[place : place + 12 + length])
        place += 12 + length
    return io.BytesIO(b"".join([*kept, data[place:]]))
