"""What the table, the cards and the map say of a neuron, from its row of `NeuronRows.frame`."""

from collections.abc import Mapping, Sequence
from typing import Any

from csp.face.screen.elements.components import Badge
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.wording import DOUBT_WORDS, REVIEW_STATES, STATES
from csp.keeping.run_folder.run import Run
from csp.method.states import NeuronState
from csp.work.neurons.doubt import why, why_doubtful
from csp.work.neurons.rows import DISPUTED, UNREVIEWED
from csp.work.reviews.label_in_force import LabelInForce

NOTHING_FITS = "nothing fits"
Facts = Mapping[Any, Any]
"""One row of `NeuronRows.frame`."""


def label_lines(facts: Facts) -> tuple[str, str]:
    """The label in force, and whose it is; the machine's too where a person chose another.

    Where nothing is claimed by the machine's, that, and the label it would be.
    """
    first: LabelInForce = facts["in_force"]
    if first.by is None and first.text and not facts["above_noise"]:
        return NOTHING_FITS, f"the nearest is {first.shown}"
    return first.lines


def claimed_texts(facts: Facts) -> tuple[str, ...]:
    """Each label in force by itself; none where nothing fits."""
    return () if label_lines(facts)[0] == NOTHING_FITS else facts["in_force"].texts


def persons_line(facts: Facts) -> str:
    """Whose the label in force is, and the machine's; nothing where it is the machine's own.

    Where nothing fits, the label that comes nearest.
    """
    label, below = label_lines(facts)
    return below if facts["source"] == "person" or label == NOTHING_FITS else ""


def badges(facts: Facts, usual_state: str) -> list[Badge]:
    """What to know of a neuron at a glance: its notes, and whether its label is doubtful."""
    doubt: list[Badge] = [("doubtful", "quiet", "; ".join(why_doubtful(facts)))] if facts["doubtful"] else []
    return notes(facts, usual_state, doubt)


def notes(facts: Facts, usual_state: str, doubts: Sequence[Badge] = ()) -> list[Badge]:
    """What sets a neuron apart, most important first, with what speaks against its label; the usual state of
    the layer is not worth one."""
    found: list[Badge] = []
    if facts["artefacts"]:
        words = ", ".join(facts["artefacts"])
        found.append((words, "orange", f"Its label, or a person's tag, names an artefact: {words}"))
    found += doubts
    if facts["state"] != usual_state:
        found.append((STATES[facts["state"]], "quiet", facts["sentence"]))
    return found


def doubt_badges(facts: Facts) -> list[Badge]:
    """What speaks against the machine's label, a sentence on hover."""
    return [
        (DOUBT_WORDS[name], "quiet", sentence)
        for name, sentence in zip(facts["doubts"], why(facts), strict=True)
    ]


def review_badges(facts: Facts) -> list[Badge]:
    """What people said of a neuron; nothing when nobody did."""
    found: list[Badge] = []
    if facts["review"] != UNREVIEWED:
        words, who = REVIEW_STATES[facts["review"]], ", ".join(facts["reviewers"])
        found.append((words, "orange" if facts["review"] == DISPUTED else "blue", f"By {who}"))
    if facts["second_look"]:
        found.append(("Second look", "orange", "Someone asked for a second look"))
    return found


def strongest_images(run: Run, facts: Facts, count: int) -> list[dict[str, str]]:
    """The strongest images; none for a neuron that fires for nothing."""
    if facts["state"] == NeuronState.NEVER_FIRES:
        return []
    return [
        {"src": source(run, int(image)), "alt": f"Image {image}, no. {rank} of neuron {facts['neuron']}"}
        for rank, image in enumerate(facts["top_images"][:count], 1)
    ]
