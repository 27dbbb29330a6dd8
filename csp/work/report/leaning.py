"""The first page of the report: what the model leans on, in the words of the screen, and what is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from csp.errors import BadInputError
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Report
from csp.work.reliance.numbers import HOW
from csp.work.reliance.reliance import ConceptReliance, Reliance, reliance
from csp.work.reliance.words import SHOWN, checked, interval, left_on, listed, points, sentence, summary
from csp.work.reviews.desk import Spot

MOST_NAMED = 40
"""So many concepts without effect are named of each kind."""


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
    """All other concepts whose neurons were switched off, those that are not the lesion first."""
    untested: tuple[tuple[str, str], ...] = ()
    """Concepts that could not be switched off, each with why."""


def leaning_page(explorer: Explorer, states: Mapping[Spot, NeuronReview], report: Report) -> LeaningPage:
    """Works out what is not known yet."""
    try:
        found = reliance(explorer, states, report=report)
    except BadInputError as error:
        return LeaningPage(f"Not known: {error}.")
    return LeaningPage(
        summary(found),
        tuple(_row(one) for one in found.concepts if one.leans),
        _without_effect(found),
        tuple((one.concept.name, one.why) for one in found.untested),
    )


def _without_effect(found: Reliance) -> str:
    """Of thousands the strongest are named, and how many are left out is said."""
    idle = [one.concept for one in found.concepts if not one.leans]
    named = {
        "Not the lesion": [one.name for one in idle if one.beside],
        "Others": [one.name for one in idle if not one.beside],
    }
    return " ".join(f"{words}: {_all(names)}." for words, names in named.items() if names)


def _all(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return listed(names) if more <= 0 else f"{', '.join(names[:MOST_NAMED])} and {more:,} more"


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
