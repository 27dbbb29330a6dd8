"""An engine that sends everything as a cluster does, and works it out here."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from csp.work.engines.engine import Engine


class Sent(Engine):
    """Nothing is shared with the work but what can be sent to it."""

    def each(
        self, parts: Sequence[Any], here: Callable[[Any], Any], there: Callable[[], Callable[[Any], Any]]
    ) -> Iterator[Any]:
        work = _over(there)()
        return (_over(work(_over(part))) for part in parts)


def _over(what: Any) -> Any:
    return pickle.loads(pickle.dumps(what))
