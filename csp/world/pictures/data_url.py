"""A picture as an address that holds the picture itself: shown without a request, in a page or in a file."""

from base64 import b64encode
from typing import Literal


def data_url(picture: bytes, kind: Literal["webp", "png", "jpeg"] = "webp") -> str:
    """The `data:` address of an encoded picture."""
    return f"data:image/{kind};base64,{b64encode(picture).decode('ascii')}"
