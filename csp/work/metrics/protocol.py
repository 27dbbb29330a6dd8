"""What a metric gets and gives: the words between the frame of `csp evaluate` and its metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.metrics.settings import Settings


@dataclass(frozen=True)
class MetricRequest:
    """What to measure."""

    metric: str
    labelers: tuple[str, ...]
    options: ExampleOptions
    """Under which parameters labels are found."""
    neurons: Mapping[str, Sequence[int]]
    """By layer."""
    simulator: str | None = None
    """Spec of the encoder that simulates; None: the run's own."""
    generator: str | None = None
    """Spec of the image generator that draws labels (cosy)."""
    generated: int = 20
    """How many pictures of each label it draws."""


@dataclass(frozen=True)
class Subject:
    """What is measured: the first label of one neuron by one labeler, or (both empty) the neuron itself."""

    layer: str
    neuron: int
    labeler: str = ""
    label: str = ""


@dataclass(frozen=True)
class Measured:
    """One number of one subject, with its interval where there is one."""

    subject: Subject
    number: str
    """A key of `registry.NUMBERS`."""
    value: float
    low: float = float("nan")
    high: float = float("nan")


class Measurer(Protocol):
    """A metric made ready for one run and request."""

    settings: Settings
    """Under what it measures; part of the key of each result."""
    by: str
    """What measured: program, models, images."""

    def measure(self, subjects: Sequence[Subject]) -> Iterable[Measured]:
        """The numbers of some subjects; none for one that can't be measured."""


class Prepare(Protocol):
    """The one function of a metric's module: `prepare(explorer, request) -> Measurer`."""

    def __call__(self, explorer: Explorer, request: MetricRequest) -> Measurer:
        """Open and check all that the metric needs; raises a CspError that says what is missing."""
