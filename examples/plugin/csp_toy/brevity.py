"""A metric of labels: how short they are."""

from collections.abc import Iterator, Sequence

from csp.work.explorer.explorer import Explorer
from csp.work.metrics.metric import Metric, Number, NumberColumn
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings


class Brevity:
    """Counts the words of labels."""

    def __init__(self, request: MetricRequest) -> None:
        self.settings = Settings(request.options)
        self.by = "csp-toy 1.0"

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """One number a label."""
        for one in subjects:
            yield Measured(one, "brevity", 1 / len(one.label.split()))


def prepare(explorer: Explorer, request: MetricRequest) -> Brevity:
    """Nothing is needed but the labels."""
    return Brevity(request)


METRIC = Metric(
    "brevity",
    "how short the first label is",
    prepare,
    (
        Number(
            "brevity",
            "Brevity",
            "One over the number of words of the label. 0 to 1; higher is shorter.",
            "higher",
            "this example",
            low=0,
            high=1,
            column=NumberColumn(
                "Brief",
                "How short the label is: 1 is one word",
                least=("long", "Longest label first"),
                most=("brief", "Shortest label first"),
            ),
        ),
    ),
)
