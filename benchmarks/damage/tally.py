"""What became of each thing that was tried."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from csp.errors import CspError

AS_BEFORE, FOUND, LOST, TRACEBACKS = "harmless", "found", "lost", "tracebacks"


class Tally:
    """Counts outcomes, and keeps what a bad one was."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    @property
    def tried(self) -> int:
        """How many outcomes there are."""
        return self.counts.total()

    def add(self, what: str, look: Callable[..., str], *at: Any) -> None:
        """Look at what one change did; `look` says what, or raises: a sentence is a finding."""
        try:
            outcome = look(*at)
        except CspError:
            outcome = FOUND
        except Exception as error:  # noqa: BLE001 # any that reaches us is what is counted
            outcome = f"{type(error).__name__}: {error}"
        known = outcome if outcome in (AS_BEFORE, FOUND, LOST) else TRACEBACKS
        self.counts[known] += 1
        if known in (LOST, TRACEBACKS):
            self.examples.append(f"{what}: {outcome}")

    def summary(self) -> dict[str, Any]:
        """As the benchmark prints it."""
        counted = {name: self.counts[name] for name in (FOUND, AS_BEFORE, LOST, TRACEBACKS)}
        return {
            "tried": self.tried,
            **counted,
            "ratio": _ratio(counted, self.tried),
            "examples": self.examples[:10],
        }


def together(summaries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sums of several campaigns."""
    given = list(summaries)
    total = {name: sum(one[name] for one in given) for name in ("tried", FOUND, AS_BEFORE, LOST, TRACEBACKS)}
    return {**total, "ratio": _ratio(total, total["tried"])}


def _ratio(counted: dict[str, int], tried: int) -> float:
    return 1 - (counted[LOST] + counted[TRACEBACKS]) / max(1, tried)
