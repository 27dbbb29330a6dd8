"""What a run's model leans on, concept by concept, the one that changes its answers most first.

found = reliance(explorer, states)                # of all concepts; report tells the progress
found.concepts[0].concept.name, .numbers, .leans  # the strongest
found.untested                                    # concepts without a number, each with why
kept = kept_reliance(explorer, states)            # the same if it is all known already, else None
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csp.keeping.result_cache import CachedResult
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Report, Stage, silent
from csp.work.reliance.concepts import Concept, concepts, find_concept, shown
from csp.work.reliance.exact import exact_numbers
from csp.work.reliance.heads import behind_head, check_answers
from csp.work.reliance.numbers import Numbers
from csp.work.reviews.desk import Spot

MATTERS = 0.05
"""A model leans on a concept whose neurons move a class by this much on the images that show it: 5 in 100."""


@dataclass(frozen=True)
class ConceptReliance:
    """One concept with what changes without it."""

    concept: Concept
    numbers: Numbers

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

    def find(self, name: str) -> ConceptReliance | None:
        """By the concept's name or one of its labels; None where it has no number."""
        concept = find_concept([one.concept for one in self.concepts], name)
        return next((one for one in self.concepts if one.concept == concept), None)


def reliance(
    explorer: Explorer,
    states: Mapping[Spot, NeuronReview],
    names: Sequence[str] | None = None,
    report: Report = silent,
) -> Reliance:
    """Of all concepts, or of those named; what was worked out before is not worked out again.

    Raises BadInputError for a run without class probabilities, NotFoundError for a concept it lacks.
    """
    check_answers(explorer.run)
    chosen = concepts(explorer, states)
    if names is not None:
        chosen = tuple(dict.fromkeys(find_concept(chosen, name) for name in names))
    stage, found, untested = Stage("concepts", len(chosen), report), list[ConceptReliance](), list[Untested]()
    for place, concept in enumerate(chosen):
        measured = _exact(explorer, concept)
        if isinstance(measured, str):
            untested.append(Untested(concept, measured))
        else:
            found.append(ConceptReliance(concept, measured))
        stage.reached(place + 1)
    found.sort(key=lambda one: -one.numbers.size)
    return Reliance(tuple(found), tuple(untested))


def _exact(explorer: Explorer, concept: Concept) -> Numbers | str:
    """The numbers, or why there are none."""
    run, seen = explorer.run, behind_head(explorer.run)
    if seen is None:
        return (
            "no linear layer follows the layers of this run, so the model has to run: `csp reliance --model`"
        )
    if not concept.of(seen.layer):
        return f"its neurons are in earlier layers than {seen.layer}, so the model has to run"

    def compute() -> dict[str, Any]:
        return exact_numbers(run, seen, concept, shown(run, concept)).model_dump(mode="json", by_alias=True)

    asked = {
        "layer": seen.layer,
        "neurons": concept.of(seen.layer),
        "attributes": concept.attributes,
        "labels": () if concept.attributes else concept.labels,
    }
    kept: CachedResult = explorer.cache.get_or_compute(asked, compute)
    found = Numbers.model_validate(kept.value)
    order = [name for name in run.manifest.classes if name in found.classes]
    return found.model_copy(update={"classes": {name: found.classes[name] for name in order}})
