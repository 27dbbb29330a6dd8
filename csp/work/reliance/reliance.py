"""What a run's model leans on, concept by concept, the one that changes its answers most first.

found = reliance(explorer, states)                # of all concepts; names=, by=COLUMN, report=
found.concepts[0].concept.name, .numbers, .leans  # the strongest
found.untested                                    # concepts without a number, each with why
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csp.keeping.reviews.state import NeuronReview
from csp.keeping.run_folder.run import Run
from csp.work.engines.engine import HERE, Engine
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Report, Stage, silent
from csp.work.provenance import Provenance, answered
from csp.work.reliance.by_group import by_column
from csp.work.reliance.by_model import answers_by_model, measure_by_model, measured_by_model, numbers_by_model
from csp.work.reliance.concepts import Concept, concepts, find_concept, shown
from csp.work.reliance.exact import exact_answers, exact_numbers
from csp.work.reliance.heads import BehindHead, behind_head, check_answers
from csp.work.reliance.numbers import ByColumn, Numbers
from csp.work.reliance.stored import Stored, asked_of, keep_numbers, stored_numbers
from csp.work.reviews.desk import Spot
from csp.work.subgroups import subgroups

MATTERS = 0.05
"""A model leans on a concept whose neurons move a class by this much on the images that show it: 5 in 100."""


@dataclass(frozen=True)
class ConceptReliance:
    """One concept with what changes without it."""

    concept: Concept
    numbers: Numbers
    provenance: Provenance
    subgroups: ByColumn | None = None
    """None where nobody asked."""

    @property
    def left_on(self) -> dict[str, int]:
        """How many of its neurons were not switched off with the others, by layer: only the model can."""
        layers = [layer for layer in self.concept.layers if layer not in self.numbers.layers]
        return {layer: len(self.concept.of(layer)) for layer in layers}

    @property
    def whole_layer(self) -> bool:
        """Whether it is known what its whole layer does for it, whatever the labels."""
        return any(told.erased is not None for told in self.numbers.classes.values())

    @property
    def elsewhere(self) -> bool:
        """Whether a class moves enough to matter once the whole layer lacks it, and not by these neurons."""
        erased = [told.erased for told in self.numbers.classes.values() if told.erased is not None]
        return not self.leans and any(
            abs(one.change or 0) >= MATTERS
            and one.low is not None
            and one.high is not None
            and one.low * one.high > 0
            for one in erased
        )

    @property
    def more_than_chance(self) -> bool:
        """Whether the change and its interval lie outside what random groups of neurons give."""
        told = self.numbers.classes[self.numbers.most]
        main, random = told.main, told.random
        if None in (main.change, main.low, main.high, random.low, random.high):
            return False
        return bool(main.low > random.high or main.high < random.low)  # type: ignore[operator]

    @property
    def leans(self) -> bool:
        """Whether it moves a class by more than chance and by enough to matter (`MATTERS`)."""
        return self.more_than_chance and self.numbers.size >= MATTERS


@dataclass(frozen=True)
class Untested:
    """A concept whose neurons could not be switched off, and why."""

    concept: Concept
    why: str


@dataclass(frozen=True)
class Reliance:
    """What the model leans on."""

    concepts: tuple[ConceptReliance, ...]
    """The one that changes the answers most first."""
    untested: tuple[Untested, ...]


def reliance(
    explorer: Explorer,
    states: Mapping[Spot, NeuronReview],
    names: Sequence[str] | None = None,
    *,
    by: str | None = None,
    report: Report = silent,
) -> Reliance:
    """Of all concepts, or of those named, and by a column; what was worked out before is not again.

    Raises BadInputError for a run without class probabilities, NotFoundError for a concept or column that it
    lacks.
    """
    check_answers(explorer.run)
    if by is not None:
        subgroups(explorer.run, by)
    chosen, stored = _chosen(explorer, states, names), stored_numbers(explorer.run)
    stage, found, untested = Stage("concepts", len(chosen), report), list[ConceptReliance](), list[Untested]()
    for place, concept in enumerate(chosen):
        stage.reached(place)
        one = _of_concept(explorer, concept, by, stored.get(asked_of(concept)))
        if isinstance(one, Untested):
            untested.append(one)
        else:
            found.append(one)
    stage.reached(len(chosen))
    found.sort(key=lambda one: -one.numbers.size)
    return Reliance(tuple(found), tuple(untested))


def keep_exact(explorer: Explorer, found: Reliance, *, in_place: bool = False) -> None:
    """Let the numbers that need no model lie with the run; UnavailableError where they can't be written."""
    exact = [(one.concept, one.numbers) for one in found.concepts if one.numbers.how == "exact"]
    keep_numbers(explorer.run, exact, in_place=in_place)


def measure_untested(
    explorer: Explorer,
    states: Mapping[Spot, NeuronReview],
    names: Sequence[str] | None = None,
    report: Report = silent,
    engine: Engine = HERE,
) -> None:
    """Run the model without the concepts that only it can switch off whole; what it says is kept.

    Raises as `reliance`, and UnavailableError where the model or pictures are missing.
    """
    check_answers(explorer.run)
    chosen = _chosen(explorer, states, names)
    measure_by_model(explorer.run, [one for one in chosen if not _exact(explorer.run, one)], report, engine)


def _chosen(
    explorer: Explorer, states: Mapping[Spot, NeuronReview], names: Sequence[str] | None
) -> tuple[Concept, ...]:
    found = concepts(explorer, states)
    return found if names is None else tuple(dict.fromkeys(find_concept(found, name) for name in names))


def _exact(run: Run, concept: Concept) -> bool:
    """Whether the run alone can switch all its neurons off: they are in the layer that its head reads."""
    seen = behind_head(run)
    return seen is not None and concept.layers == (seen.layer,)


def _why_untested(seen: BehindHead | None, concept: Concept) -> str:
    if seen is None:
        return "no linear layer follows the layers of this run, so the model has to run"
    where = ", ".join(concept.layers)
    return f"its neurons are in {where}, which the last linear layer does not read, so the model has to run"


def _of_concept(
    explorer: Explorer, concept: Concept, by: str | None, stored: Stored | None
) -> ConceptReliance | Untested:
    """By the model where it ran without all of them; else from the run alone, those that its head reads."""
    run = explorer.run
    by_model = measured_by_model(run, concept)
    if stored is not None and not by_model and by is None:
        return ConceptReliance(concept, _in_order(run, stored.numbers), stored.provenance)
    seen = None if by_model else behind_head(run)
    if not by_model and (seen is None or not concept.of(seen.layer)):
        return Untested(concept, _why_untested(seen, concept))

    def numbers() -> dict[str, Any]:
        found = (
            exact_numbers(run, seen, concept, shown(run, concept)) if seen else numbers_by_model(run, concept)
        )
        assert found is not None  # else it is untested
        return found.model_dump(mode="json", by_alias=True)

    asked = {
        "neurons": [spot for spot in concept.neurons if seen is None or spot[0] == seen.layer],
        "attributes": concept.attributes,
        "labels": () if concept.attributes else concept.labels,
        "exact": seen is not None,
    }
    kept = explorer.cache.get_or_compute(asked, numbers)
    found = _in_order(run, Numbers.model_validate(kept.value))
    if by is None:
        return ConceptReliance(concept, found, answered(kept))

    def parted() -> dict[str, Any]:
        answers = exact_answers(run, seen, concept) if seen else answers_by_model(run, concept)
        assert answers is not None  # else it is untested
        return by_column(run, answers, shown(run, concept), found, by).model_dump(mode="json", by_alias=True)

    groups = explorer.cache.get_or_compute({**asked, "column": by}, parted)
    return ConceptReliance(concept, found, answered(groups), ByColumn.model_validate(groups.value))


def _in_order(run: Run, numbers: Numbers) -> Numbers:
    """The classes in the order of the model: what is kept sorts them."""
    order = [name for name in run.manifest.classes if name in numbers.classes]
    return numbers.model_copy(update={"classes": {name: numbers.classes[name] for name in order}})
