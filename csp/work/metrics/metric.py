"""What a metric is, and each number that it measures: all that commands, pages and exports say of them.

Each metric declares itself in its module beside this one, as `METRIC`; `registry.py` collects them and those
of plug-ins. Its numbers become columns of the export and, if they say so, of the table of neurons.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from csp.counts import percent
from csp.keeping.run_folder.run import Run
from csp.work.metrics.protocol import Prepare

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class NumberColumn:
    """How a number stands in the table of neurons."""

    head: str
    help: str
    least: tuple[str, str]
    """The order in which the least comes first: in the address, and in words."""
    most: tuple[str, str]
    """The other one."""
    shown: bool = True
    """Whether it is there before one asks for it, once it was measured."""


@dataclass(frozen=True)
class Number:
    """One measured number."""

    name: str
    """In tables, exports and `--json`."""
    title: str
    """As people read it."""
    what: str
    """One line: what is it, from where to where, and which end is better?"""
    better: Better
    source: str
    """Who defined it, or defined what it is made of."""
    low: float = -math.inf
    high: float = math.inf
    """Between which it lies."""
    interval: bool = False
    """Whether it has an interval: columns `NAME_low` and `NAME_high`."""
    of_classes: bool = False
    """Whether it is also told of each class, as `NAME/class`."""
    faithful: int = 0
    """Its place among the measures of how faithful a label is, 1 counts first; 0: it is none."""
    percent: bool = False
    """Whether people read it as a share of 100."""
    said: str = ""
    """In a few words before the number, on the page of one neuron; empty: only on hover."""
    column: NumberColumn | None = None
    """In the table of neurons, if it stands there."""
    exported: bool = True
    """Whether it is a column of what is known of neurons, and of their export."""

    @property
    def help(self) -> str:
        """What it is and who defined it, in one line."""
        return f"{self.what} ({self.source})"

    def words(self, value: float) -> str:
        """A value, as people read it."""
        return percent(value) if self.percent else f"{value:.2f}"


@dataclass(frozen=True)
class Metric:
    """One thing that `csp evaluate --metric` measures."""

    name: str
    what: str
    """One line: what is it?"""
    prepare: Prepare
    numbers: tuple[Number, ...]
    of_labels: bool = True
    """Whether it measures labels, or neurons without them."""
    makes_pictures: bool = False
    """Whether it needs an image generator."""
    check: Callable[[Run], None] = lambda _: None
    """Raises BadInputError for a run that lacks what it needs, UnavailableError for one that names no model;
    called before `prepare` and before a job starts, so it opens none."""
    place: int = 0
    """Among those of the program."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """The names of its numbers, the most telling first."""
        return tuple(number.name for number in self.numbers)
