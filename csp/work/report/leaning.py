"""The first page of the report: what the model leans on, in the words of the screen, and what is open."""

from collections.abc import Mapping
from dataclasses import dataclass

from csp.errors import BadInputError
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Report
from csp.work.reliance.numbers import HOW
from csp.work.reliance.reliance import ConceptReliance, reliance
from csp.work.reliance.words import SHOWN, checked, interval, left_on, listed, points, sentence, summary
from csp.work.reviews.desk import Spot


@dataclass(frozen=True)
class LeaningRow:
    """One concept whose neurons move a class by more than chance and enough to matter."""

    name: str
    beside: bool
    """Whether it is not the lesion."""
    sentence: str
    towards: str
    change: str
    interval: str
    random: str
    shown: str
    checked: str
    how: str
    left_on: str
    """Which of its neurons were not switched off; empty where all were."""


@dataclass(frozen=True)
class LeaningPage:
    """All of it; without a number only `summary`, which then says why."""

    summary: str
    rows: tuple[LeaningRow, ...] = ()
    without_effect: str = ""
    """Artefacts, and the skin, whose neurons were switched off and move no class enough to matter."""
    untested: tuple[tuple[str, str], ...] = ()
    """Concepts that could not be switched off, each with why."""


def leaning_page(explorer: Explorer, states: Mapping[Spot, NeuronReview], report: Report) -> LeaningPage:
    """Works out what is not known yet."""
    try:
        found = reliance(explorer, states, report=report)
    except BadInputError as error:
        return LeaningPage(f"Not known: {error}.")
    idle = [one.concept.name for one in found.concepts if one.concept.beside and not one.leans]
    return LeaningPage(
        summary(found),
        tuple(_row(one) for one in found.concepts if one.leans),
        listed(idle) if idle else "",
        tuple((one.concept.name, one.why) for one in found.untested),
    )


def _row(one: ConceptReliance) -> LeaningRow:
    told = one.numbers.classes[one.numbers.most]
    return LeaningRow(
        name=one.concept.name,
        beside=one.concept.beside,
        sentence=sentence(one),
        towards=one.numbers.most,
        change=points(told.main.change),
        interval=interval(told.main),
        random=f"{points(told.random.low)} to {points(told.random.high)}",
        shown=SHOWN[one.numbers.shown],
        checked=checked(one.concept),
        how=HOW[one.numbers.how],
        left_on=left_on(one),
    )
