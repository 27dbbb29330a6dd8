"""What the model leans on in plain words, for the page and for the report; names of concepts as they are."""

from collections.abc import Sequence

from csp.counts import counted
from csp.method.metrics.classification import SPECIFICITY
from csp.work.reliance.concepts import Concept
from csp.work.reliance.numbers import Change
from csp.work.reliance.reliance import ConceptReliance, Reliance
from csp.work.subgroups import SMALL, in_words

SHOWN = {
    "attributes": "Which images show it: the dataset says so.",
    "encoder": "Which images show it: the encoder's guess, the tenth of the images most like these words.",
    "nothing": "Nobody says which images show it, so the numbers are of all images.",
}
VERDICTS = {
    "leans": "leans on it",
    "small": "more than chance, but little",
    "chance": "no more than chance",
}

SHOWS, SHOWS_NOT = "Where shown", "Where not shown"
"""Of images that show a concept and of those that do not; of a model, neurons are on or switched off."""
SENSITIVITY = f"Sensitivity at {100 * SPECIFICITY:.0f} % specificity"
"""Of all thresholds that which leaves so many of the others alone; the model's own is `AS_DECIDED`."""

MOST_DIFFERING = 3


def summary(found: Reliance) -> str:
    """In one or two sentences: what the model leans on, and which of it is not the lesion."""
    if not found.concepts and not found.untested:
        return "Not known: no neuron has a label that is claimed, so there is nothing to switch off."
    if not found.concepts:
        return "Not known: nothing could be switched off."
    leaning = [one.concept for one in found.concepts if one.leans]
    if not leaning:
        return "There is no concept whose neurons, switched off together, move a class enough to matter."
    beside = [one.name for one in leaning if one.beside]
    of_these = f"not the lesion: {listed(beside)}" if beside else "none names an artefact or the skin"
    return f"This model leans on: {listed([one.name for one in leaning])}. Of these, {of_these}."


def differing(found: Reliance) -> str:
    """The concepts whose effect differs most between the subgroups; empty where nobody asked by a column."""
    parted = [(one.concept.name, one.subgroups) for one in found.concepts if one.subgroups]
    if not parted:
        return ""
    column = in_words(parted[0][1].column)
    apart = [
        (name, one.difference) for name, one in parted if one.difference and one.difference.more_than_chance
    ]
    if not any(one.difference for _, one in parted):
        return f"By {column}, no two groups hold {SMALL} images to compare: nothing is said of who differs."
    if not apart:
        return f"By {column}, no concept's effect differs between the groups by more than chance."
    apart.sort(key=lambda pair: -pair[1].apart)
    told = [
        f"{name} ({one.of_class}: {100 * one.apart:.1f} points between {one.least} and {one.most}, by "
        f"chance up to {100 * one.random_high:.1f})"
        for name, one in apart[:MOST_DIFFERING]
    ]
    return f"By {column}, these differ most between the groups: {listed(told)}."


def sentence(one: ConceptReliance) -> str:
    """What happens with the concept's neurons off, beside what happens with as many random ones off."""
    name, told = one.numbers.most, one.numbers.classes[one.numbers.most]
    if told.before is None or told.main.change is None:
        return "There is no image to measure it on."
    where = f"images that show {one.concept.name}" if told.on.n else "all images"
    off, own = f"With its {counted(one.numbers.neurons, 'neuron')} switched off", in_100(told.before)
    then, random = (in_100(told.before + (change or 0.0)) for change in (told.main.change, told.random.mean))
    if then == own:
        return f"{off} the model still gives {name} {own} in 100 on {where}."
    return (
        f"{off} the model gives {name} {then} instead of {own} in 100 on {where}; with as many random ones "
        f"off {'it stays at ' if random == own else ''}{random}."
    )


def left_on(one: ConceptReliance) -> str:
    """Which of its neurons were not switched off with the others; empty where all were."""
    if not one.left_on:
        return ""
    neurons = sum(one.left_on.values())
    mean = "means" if neurons == 1 else "mean"
    return (
        f"{counted(neurons, 'neuron')} of {listed(list(one.left_on))} that {mean} it stayed on: the model "
        "has to run to switch them off with the others."
    )


def verdict(one: ConceptReliance) -> str:
    """Which of `VERDICTS` holds."""
    return "leans" if one.leans else "small" if one.more_than_chance else "chance"


def checked(concept: Concept) -> str:
    """Who checked the labels that make the concept."""
    count = len(concept.neurons)
    if not concept.checked:
        return "nobody checked its labels"
    return f"{concept.checked} of {count} labels checked by {', '.join(concept.reviewers)}"


def in_100(share: float) -> str:
    """A probability as so many in 100."""
    return f"{100 * share:.0f}"


def points(change: float | None) -> str:
    """A change of a probability in points of 100: `−16.1`."""
    return "–" if change is None else signed(100 * change, 1)


def signed(value: float, places: int) -> str:
    """A number with its sign, a real minus: `−0.05`; one that rounds to nothing has none."""
    words = f"{value:+.{places}f}".replace("-", "\u2212")
    return words if words.strip("+\u22120.") else words[1:]


def interval(change: Change) -> str:
    """`−18.1 to −14.2`."""
    return "" if change.low is None else f"{points(change.low)} to {points(change.high)}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
