"""How long a test waits for what should come soon: only a failing test waits for so long."""

import time
from collections.abc import Callable

SECONDS = 180


def until(come: Callable[[], object], what: str, pause: Callable[[float], object] = time.sleep) -> None:
    """Waits until this is true; what never comes true fails in words and holds up no other tests."""
    end = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < end, f"after {SECONDS} seconds still to come: {what}"
        pause(0.05)
