"""What `csp evaluate` can measure: the metrics declared in this folder, then those of plug-ins."""

from collections.abc import Iterator, Mapping
from functools import partial

from csp.errors import BadInputError
from csp.plugins import Registry, declared
from csp.work.metrics.metric import Metric, Number


class Metrics(Registry[Metric]):
    """The metrics; no two may measure a number of the same name."""

    def refusal(self, one: Metric) -> str | None:
        """Why one can't be taken."""
        taken = {name for other in self.values() for name in other.number_names}
        clash = next((name for name in one.number_names if name in taken), None)
        return f"another metric measures '{clash}'" if clash else super().refusal(one)


METRICS = Metrics("metric", "csp.metrics", Metric, partial(declared, "csp.work.metrics", "METRIC"))


class _Numbers(Mapping[str, Number]):
    """The numbers of all metrics by name."""

    def __getitem__(self, name: str) -> Number:
        return next(number for number in _numbers() if number.name == name)

    def __iter__(self) -> Iterator[str]:
        return (number.name for number in _numbers())

    def __len__(self) -> int:
        return sum(1 for _ in _numbers())


NUMBERS = _Numbers()


def find_metric(name: str) -> Metric:
    """The metric called `name`; BadInputError names those there are."""
    if name not in METRICS:
        raise BadInputError(f"there is no metric {name!r}; there is {', '.join(METRICS)}")
    return METRICS[name]


def label_numbers() -> tuple[str, ...]:
    """The exported numbers of labels."""
    return tuple(number.name for number in _numbers(of_labels=True) if number.exported)


def neuron_numbers() -> tuple[str, ...]:
    """The exported numbers of neurons without a label."""
    return tuple(number.name for number in _numbers(of_labels=False) if number.exported)


def class_numbers() -> tuple[str, ...]:
    """The numbers that are also told of each class."""
    return tuple(number.name for number in _numbers() if number.of_classes)


def faithful_numbers() -> tuple[str, ...]:
    """The measures of how faithful a label is, the one that counts first before the others."""
    measures = sorted((number for number in _numbers() if number.faithful), key=lambda one: one.faithful)
    return tuple(number.name for number in measures)


def table_numbers() -> tuple[Number, ...]:
    """The numbers with a column in the table of neurons."""
    return tuple(number for number in _numbers() if number.column and number.exported)


def _numbers(of_labels: bool | None = None) -> Iterator[Number]:
    for metric in METRICS.values():
        if of_labels in (None, metric.of_labels):
            yield from metric.numbers
